/** The model doctor: everything that can be said about a network's weights, layers and preprocessing, with and without pictures. */
import { action } from '../../shared/actions.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { PictureReference } from '../../shared/experiments/index.ts'
import type { Examination, PipelineTrial } from '../../shared/network/examination.ts'
import type { Finding } from '../../shared/network/finding.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import { pictureBytes } from '../experiments/network-input.ts'
import { sourceFileOf } from '../files/source-file.ts'
import type { Network } from '../network/network.ts'
import { normalise, sized } from '../network/preprocess.ts'
import type { FloatPicture, Picture } from '../network/resize.ts'
import { labelledIndices } from './accuracy.ts'
import { mapClasses } from './class-mapping.ts'
import { compareReference, type ComparedReference } from './compare-reference.ts'
import { comparePipelines, type LabelledPicture } from './compare-pipelines.ts'
import { examineActivations } from './examine-activations.ts'
import { examinePreprocessing } from './examine-preprocessing.ts'
import { examineStructure } from './examine-structure.ts'
import { examineWeights } from './examine-weights.ts'
import { examineFlattenOrder } from './flatten-order.ts'
import { readReference } from './reference-file.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface ExamineParams {
  readonly network: string
  /** Pictures to try it on. */
  readonly pictures?: { readonly dataset: string; readonly split: string; readonly count: number }
  /** Activations of another program for a picture. */
  readonly reference?: {
    readonly artifact: string
    /** For a `.npy`: which layer it is of. */
    readonly layer?: string
    readonly picture?: PictureReference
  }
}

type DoctorContext = Pick<ExperimentContext, 'engine' | 'network' | 'dataset' | 'artifact'>

/** Shares of the time, in per cent, as they are shown. */
const STAGES = { weights: 5, activations: 20, pipelines: 90, reference: 100 } as const

/** @throws ConvScopeError for a data set, picture or reference that cannot be read; what is wrong with the network is a finding */
export async function* examineNetwork(
  { network: name, pictures, reference }: ExamineParams,
  context: DoctorContext,
): AsyncGenerator<ExperimentEvent, Examination, void> {
  const { network } = await context.network(name)
  const findings: Finding[] = [
    ...(await examineWeights(network)),
    ...examineStructure(network.graph),
    ...examinePreprocessing(network.spec.preprocessing),
    ...(await examineFlattenOrder(network)),
  ]
  yield progress(STAGES.weights)
  let pipelines: readonly PipelineTrial[] = []
  if (pictures !== undefined) {
    const tried = yield* tryPictures(network, pictures, context)
    findings.push(...tried.findings)
    pipelines = tried.pipelines
  }
  const compared = reference === undefined ? undefined : await tryReference(network, reference, context)
  findings.push(...(compared?.findings ?? []))
  yield progress(STAGES.reference)
  return {
    findings: sorted(findings),
    pipelines: [...pipelines],
    ...(compared === undefined ? {} : { reference: compared.comparison }),
  }
}

async function* tryPictures(
  network: Network,
  { dataset, split, count }: NonNullable<ExamineParams['pictures']>,
  context: DoctorContext,
): AsyncGenerator<ExperimentEvent, { findings: Finding[]; pipelines: readonly PipelineTrial[] }, void> {
  const { engine } = context
  const data = await context.dataset(dataset, split)
  const outputs = network.graph.output.shape.at(-1) ?? 0
  const classifies = sizeOf(network.graph.output.shape) === outputs
  const mapping = classifies ? mapClasses(data.record.classes, network.spec, outputs) : undefined
  const labelled = labelledIndices(data, count, (label) => mapping?.outputs[label] !== undefined)
  const indices = labelled.length > 0 ? labelled : labelledIndices(data, count, () => true)
  const taken = await sizedPictures(network, data, indices)
  if ('code' in taken) return { findings: [taken], pipelines: [] }

  const activity = examineActivations(
    engine,
    network,
    taken.map((picture) => normalise(picture, network.spec.preprocessing).data),
  )
  const findings = yield* told(activity, (done) =>
    progress(STAGES.weights + ((STAGES.activations - STAGES.weights) * done) / Math.max(taken.length, 1)),
  )
  if (mapping === undefined || labelled.length === 0) {
    return { findings: [...findings, notComparable(network, data, outputs)], pipelines: [] }
  }
  const examples = taken.map((picture, place): LabelledPicture => {
    const label = data.labels[indices[place] ?? 0] ?? 0
    return { picture, output: mapping.outputs[label] ?? 0 }
  })
  const { trials, findings: fits } = yield* told(comparePipelines(engine, network, examples), (share) =>
    progress(STAGES.activations + (STAGES.pipelines - STAGES.activations) * share),
  )
  const renamed: Finding[] =
    mapping.by === 'name'
      ? [
          {
            code: 'class-order',
            severity: 'note',
            message: `The classes of ${data.record.name} are in another order than the network's, or not the same ones: they were matched by name.`,
          },
        ]
      : []
  return { findings: [...findings, ...renamed, ...fits], pipelines: trials }
}

/** Pictures at the size of the input, or the finding that they do not come to it. */
async function sizedPictures(
  network: Network,
  data: DatasetSplitData,
  indices: readonly number[],
): Promise<FloatPicture[] | Finding> {
  const pictures: FloatPicture[] = []
  for (const index of indices) {
    const found = inputSized(await data.picture(index), network)
    if ('code' in found) return found
    pictures.push(found)
  }
  return pictures
}

function inputSized(picture: Picture, network: Network): FloatPicture | Finding {
  const [height, width] = network.graph.input.shape
  const result = sizedOrUndefined(picture, network)
  const [found = 0, across = 0] = result?.shape ?? picture.shape
  if (result !== undefined && found === height && across === width) return result
  return {
    code: 'picture-size',
    severity: 'warning',
    message: `Pictures of ${picture.shape[0]}×${picture.shape[1]} become ${found}×${across}, and the network takes ${height}×${width}: nothing could be tried on them.`,
    remedy: `Let resize and crop end at that size, or choose another data set. ${action('change-preprocessing')}`,
  }
}

function sizedOrUndefined(picture: Picture, { spec }: Network): FloatPicture | undefined {
  try {
    return sized(picture, spec.preprocessing)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

async function tryReference(
  network: Network,
  { artifact, layer, picture }: NonNullable<ExamineParams['reference']>,
  context: DoctorContext,
): Promise<ComparedReference> {
  const arrays = readReference(sourceFileOf('The reference', await context.artifact(artifact)), layer)
  if (picture === undefined) return compareReference(context.engine, network, arrays, undefined)
  const prepared = inputSized(await pictureBytes(picture, network.spec, context), network)
  if ('code' in prepared) throw new ConvScopeError('invalid-input', prepared.message, { remedy: prepared.remedy })
  return compareReference(context.engine, network, arrays, prepared)
}

/** Passes a stage's own measure of progress on as events. */
async function* told<R>(
  stage: AsyncGenerator<number, R, void>,
  event: (measure: number) => ExperimentEvent,
): AsyncGenerator<ExperimentEvent, R, void> {
  for (;;) {
    const step = await stage.next()
    if (step.done) return step.value
    yield event(step.value)
  }
}

function progress(done: number): ExperimentEvent {
  return { type: 'step', done, total: 100, unit: '%', values: {} }
}

function notComparable({ spec }: Network, { record, count }: DatasetSplitData, outputs: number): Finding {
  const reason =
    count === 0 || record.classes.length === 0
      ? `${record.name} has no labels`
      : `${record.name} has ${record.classes.length} classes and ${spec.name} ${outputs} outputs, and no names agree`
  return {
    code: 'labels-not-comparable',
    severity: 'note',
    message: `${reason}: which preprocessing fits could not be tried.`,
    remedy:
      'Choose labelled pictures of the classes that the network was trained on, and give it the names of its classes.',
  }
}

const ORDER = { error: 0, warning: 1, note: 2 } as const

/** The worst first; otherwise as they were found. */
function sorted(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((a, b) => ORDER[a.severity] - ORDER[b.severity])
}
