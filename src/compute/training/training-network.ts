/** The network that a training works on, and the pictures that fit it. */
import { ConvScopeError } from '../../shared/errors.ts'
import { startName, type TrainClassifierParams } from '../../shared/experiments/train-classifier.ts'
import { NO_LABEL } from '../../shared/datasets.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import { uniformSplit } from '../data/uniform-split.ts'
import type { UniformSplitData } from '../data/dataset-split.ts'
import type { ExperimentContext } from '../experiments/experiment.ts'
import { architectureNamed } from '../network/architectures/index.ts'
import { buildGraph } from '../network/graph.ts'
import type { Weights } from '../network/walk.ts'
import type { HostTensors } from './checkpoint.ts'
import type { Tensors } from './optimiser.ts'
import { downloadTensors } from './tensor-file.ts'

export interface TrainingNetwork {
  readonly spec: NetworkSpec
  /** To begin with; undefined for random ones. */
  readonly weights: HostTensors | undefined
}

/**
 * The splits that are trained and measured on, in memory.
 * @throws ConvScopeError 'invalid-input' for pictures without labels or of different sizes
 */
export async function trainingData(
  { dataset, trainSplit, testSplit }: TrainClassifierParams,
  context: ExperimentContext,
): Promise<{ train: UniformSplitData; test: UniformSplitData }> {
  const load = async (split: string): Promise<UniformSplitData> => {
    const data = await uniformSplit(await context.dataset(dataset, split), context.signal)
    const unlabelled = data.labels.indexOf(NO_LABEL)
    if (unlabelled >= 0 || data.count === 0) {
      const what = data.count === 0 ? 'is empty' : `has no label at picture ${unlabelled}`
      throw new ConvScopeError('invalid-input', `The split "${split}" of ${dataset} ${what}`, {
        remedy: 'A classifier is trained on pictures with labels: choose another data set or split.',
      })
    }
    return data
  }
  return { train: await load(trainSplit), test: await load(testSplit) }
}

/** @throws ConvScopeError 'invalid-input' where pictures or classes of the data set do not fit, 'not-found' for an unknown name */
export async function trainingNetwork(
  params: TrainClassifierParams,
  context: ExperimentContext,
  data: UniformSplitData,
): Promise<TrainingNetwork> {
  const { start } = params
  const { classes } = data.record
  if (start.from === 'architecture') {
    const known = architectureNamed(start.name)
    if (!known.trainable) {
      throw new ConvScopeError('invalid-input', `${known.title} cannot be trained from nothing here`, {
        remedy: 'Import it, and go on with its weights.',
      })
    }
    return { spec: prepared(known.spec({ classes }), params, data), weights: undefined }
  }
  if (start.from === 'layers') return { spec: prepared(start.spec, params, data), weights: undefined }
  const { network } = await context.network(start.name)
  const weights = start.weights === 'own' ? await downloaded(network.weights) : undefined
  return { spec: prepared(network.spec, params, data), weights }
}

async function downloaded(weights: Weights): Promise<HostTensors> {
  const named: Tensors = {}
  for (const [layer, parameters] of Object.entries(weights)) {
    for (const [name, tensor] of Object.entries(parameters)) named[`${layer}/${name}`] = tensor
  }
  return downloadTensors(named)
}

/** With the name, class names and dropout rate that were asked for. */
function prepared(spec: NetworkSpec, params: TrainClassifierParams, data: UniformSplitData): NetworkSpec {
  const { record, shape } = data
  const graph = buildGraph(spec)
  if (graph.input.shape.join() !== shape.join()) {
    throw new ConvScopeError(
      'invalid-input',
      `${spec.name} takes pictures of ${graph.input.shape.join(' × ')}; those of ${record.name} are ${shape.join(' × ')}`,
      { remedy: 'Choose another data set or another network.' },
    )
  }
  if (graph.output.shape.join() !== String(record.classes.length)) {
    throw new ConvScopeError(
      'invalid-input',
      `${spec.name} has ${graph.output.shape.join(' × ')} outputs; ${record.name} has ${record.classes.length} classes`,
      { remedy: 'Choose a network with one output a class.' },
    )
  }
  const fixed = graph.layers.find(({ parameters }) => parameters.some(({ trainable }) => !trainable))
  if (fixed) {
    throw new ConvScopeError(
      'unsupported',
      `${fixed.name} of ${spec.name} normalises batches, which cannot be trained`,
      {
        remedy: 'Choose a network without batch normalisation.',
      },
    )
  }
  const { resize, crop, meanImage } = spec.preprocessing
  if (resize ?? crop ?? meanImage) {
    const what = meanImage === undefined ? 'resizes or crops its pictures' : 'subtracts a mean picture'
    throw new ConvScopeError('unsupported', `${spec.name} ${what}, which a training does not do`, {
      remedy: 'Change its pipeline, and use pictures of the size that it takes.',
    })
  }
  const rate = params.dropout
  const layers = spec.layers.map((layer) =>
    layer.type === 'dropout' && rate !== undefined ? { ...layer, rate } : layer,
  )
  return { ...spec, layers, name: params.name ?? startName(params.start), classes: record.classes }
}
