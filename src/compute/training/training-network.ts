/** The network that a training works on, and the pictures that fit it. */
import { ConvScopeError } from '../../shared/errors.ts'
import { startName, type TrainClassifierParams } from '../../shared/experiments/train-classifier.ts'
import { NO_LABEL } from '../../shared/datasets.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import { fitsInMemory, uniformSplit } from '../data/uniform-split.ts'
import type { DatasetSplitData } from '../data/dataset-split.ts'
import type { ExperimentContext } from '../experiments/experiment.ts'
import { inputShape } from '../experiments/network-input.ts'
import { architectureNamed } from '../network/architectures/index.ts'
import { buildGraph, type Graph } from '../network/graph.ts'
import { channelsOf } from '../network/layer.ts'
import { resizedSize } from '../network/preprocess.ts'
import type { HostTensors } from './checkpoint.ts'
import { byPath } from './classifier-logits.ts'
import { downloadTensors } from './tensor-file.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface TrainingNetwork {
  readonly spec: NetworkSpec
  /** To begin with; undefined for random ones. */
  readonly weights: HostTensors | undefined
}

/**
 * The splits that are trained and measured on: in memory where their pictures have one size and fit, else read when they are needed.
 * @throws ConvScopeError 'invalid-input' for pictures without labels
 */
export async function trainingData(
  { dataset, trainSplit, testSplit }: TrainClassifierParams,
  context: ExperimentContext,
): Promise<{ train: DatasetSplitData; test: DatasetSplitData }> {
  const load = async (split: string): Promise<DatasetSplitData> => {
    const found = await context.dataset(dataset, split)
    const data = fitsInMemory(found) ? await uniformSplit(found, context.signal) : found
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
  data: DatasetSplitData,
): Promise<TrainingNetwork> {
  const { start } = params
  const { classes } = data.record
  if (start.from === 'architecture') {
    const known = architectureNamed(start.name)
    const published = known.spec({ classes })
    const size = start.inputSize
    const spec = size ? known.spec({ classes, inputShape: [...size, inputShape(published)[2]] }) : published
    return { spec: prepared(spec, params, data), weights: undefined }
  }
  if (start.from === 'layers') return { spec: prepared(start.spec, params, data), weights: undefined }
  const { network } = await context.network(start.name)
  const weights = start.weights === 'own' ? await downloadTensors(byPath(network.weights)) : undefined
  return { spec: prepared(network.spec, params, data), weights }
}

/** With the name, class names and dropout rate that were asked for. */
function prepared(spec: NetworkSpec, params: TrainClassifierParams, data: DatasetSplitData): NetworkSpec {
  const { record } = data
  const graph = buildGraph(spec)
  requireSize(spec, data)
  if (graph.output.shape.join() !== String(record.classes.length)) {
    throw new ConvScopeError(
      'invalid-input',
      `${spec.name} has ${graph.output.shape.join(' × ')} outputs; ${record.name} has ${record.classes.length} classes`,
      { remedy: 'Choose a network with one output a class.' },
    )
  }
  requireSeveralValues(graph, Math.min(params.batchSize, params.trainCount ?? data.count, data.count))
  const rate = params.dropout
  const layers = spec.layers.map((layer) =>
    layer.type === 'dropout' && rate !== undefined ? { ...layer, rate } : layer,
  )
  return { ...spec, layers, name: params.name ?? startName(params.start), classes: record.classes }
}

/** @throws ConvScopeError 'invalid-input' where the pictures do not come out of the network's pipeline in the size of its input */
function requireSize(spec: NetworkSpec, { record, shape }: DatasetSplitData): void {
  const { preprocessing, name } = spec
  const { resize, crop } = preprocessing
  const input = inputShape(spec)
  const [height, width] = input
  if (shape === undefined) {
    if (resize && (crop ?? resize.mode === 'exact')) return
    throw new ConvScopeError(
      'invalid-input',
      `The pictures of ${record.name} differ in size; ${name} does not resize`,
      {
        remedy: 'Choose another data set, or a network whose preprocessing resizes pictures to one size.',
      },
    )
  }
  const [oldHeight, oldWidth] = resizedSize(shape, preprocessing)
  const fits = crop ? oldHeight >= height && oldWidth >= width : oldHeight === height && oldWidth === width
  if (fits) return
  throw new ConvScopeError(
    'invalid-input',
    `${name} takes pictures of ${input.join(' × ')}; those of ${record.name} are ${shape.join(' × ')}`,
    { remedy: 'Choose another data set or another network, or have its preprocessing resize pictures.' },
  )
}

/** Of a single value, batch normalisation would make 0. @throws ConvScopeError 'invalid-input' */
function requireSeveralValues(graph: Graph, batchSize: number): void {
  const alone = graph.layers.find(
    ({ spec, shape }) => spec.type === 'batch-norm' && (batchSize * sizeOf(shape)) / channelsOf(shape) < 2,
  )
  if (!alone) return
  throw new ConvScopeError('invalid-input', `${alone.name} would normalise one value a channel at batch size 1`, {
    remedy: 'Choose a larger batch size.',
  })
}
