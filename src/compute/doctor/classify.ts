/** The most probable classes of one picture. */
import { action } from '../../shared/actions.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Classification } from '../../shared/network/examination.ts'
import type { Preprocessing } from '../../shared/network/spec.ts'
import type { PictureReference } from '../../shared/experiments/index.ts'
import type { ExperimentContext } from '../experiments/experiment.ts'
import { networkInput } from '../experiments/network-input.ts'
import { withPreprocessing } from '../network/mean-image.ts'
import { compiledWalk } from './accuracy.ts'
import { logProbabilities, topClasses } from './class-scores.ts'

export interface ClassifyParams {
  readonly network: string
  readonly picture: PictureReference
  /** In place of the network's own. */
  readonly preprocessing?: Preprocessing
}

const SHOWN_CLASSES = 5

/** @throws ConvScopeError 'invalid-input' or 'damaged' for the picture, 'unsupported' for a network that is no classifier */
export async function classifyPicture(
  { network: name, picture, preprocessing }: ClassifyParams,
  context: Pick<ExperimentContext, 'engine' | 'network' | 'dataset' | 'artifact'>,
): Promise<Classification> {
  const { network } = await context.network(name)
  const spec = preprocessing === undefined ? network.spec : withPreprocessing(network.spec, preprocessing)
  const input = await networkInput(picture, spec, context)
  const walkTo = compiledWalk(context.engine, network)
  const [logs = new Float64Array()] = await logProbabilities(context.engine, network.graph, walkTo, [input.values])
  const top = topClasses(logs, spec, SHOWN_CLASSES)
  if (top.length === 0) {
    throw new ConvScopeError('invalid-input', `The network ${name} gives no numbers for this picture, but NaN.`, {
      remedy: `${action('examine-network')} Weights may be damaged, or the range of the input wrong.`,
    })
  }
  return { top, label: input.label, preprocessing: { ...spec.preprocessing } }
}
