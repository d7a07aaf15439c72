/** The short questions that main asks; see `WORKER_METHODS`. */
import { ConvScopeError } from '../../shared/errors.ts'
import { measure, probeEngines } from '../engines/index.ts'
import { pictureOf } from '../data/dataset-split.ts'
import { buildGraph, layerPages } from '../network/graph.ts'
import type { RunContext } from './run-context.ts'
import type { Methods, StartMessage } from './worker-registry.ts'

/** @param startOptions what the session was started with, once it was */
export function workerMethods(startOptions: () => Pick<StartMessage, 'threads' | 'cacheFolder'>): Methods {
  return {
    'network-page': async ({ network }, context) => layerPages(buildGraph(context.record(network).spec)),
    'network-weights': async ({ network, layer }, context) => networkWeights(network, layer, context),
    'dataset-page': async ({ dataset, split, offset, count, classIndex }, context) => {
      const data = await context.dataset(dataset, split)
      const all = [...data.labels.keys()].filter(
        (index) => classIndex === undefined || data.labels[index] === classIndex,
      )
      const indices = all.slice(offset, offset + count)
      const [height, width, channels] = data.shape
      const images = new Uint8Array(indices.length * height * width * channels)
      indices.forEach((index, position) => images.set(pictureOf(data, index), position * height * width * channels))
      await context.outputArray('images', [indices.length, height, width, channels], images)
      return { total: all.length, indices, labels: indices.map((index) => data.labels[index] ?? 0) }
    },
    'dataset-counts': async ({ dataset, split }, context) => {
      const data = await context.dataset(dataset, split)
      const counts = data.record.classes.map(() => 0)
      for (const label of data.labels) counts[label] = (counts[label] ?? 0) + 1
      return counts
    },
    measure: async (_params, context) => measure(context.engine),
    engines: async () => {
      const { threads, cacheFolder } = startOptions()
      return probeEngines({ threads, cacheFolder }, { speed: true })
    },
  }
}

async function networkWeights(
  name: string,
  layer: string,
  context: RunContext,
): Promise<{ parameter: string; shape: number[] }[]> {
  const { network } = await context.network(name)
  if (!network.layers.some((candidate) => candidate.name === layer)) {
    throw new ConvScopeError('not-found', `The network ${name} has no layer "${layer}"`)
  }
  const parameters = Object.entries(network.weights[layer] ?? {})
  for (const [parameter, tensor] of parameters) {
    await context.outputArray(outputName(parameter), tensor.shape, await tensor.data<'float32'>())
  }
  return parameters.map(([parameter, { shape }]) => ({ parameter: outputName(parameter), shape }))
}

/** Output names are lower case. */
function outputName(parameter: string): string {
  return parameter.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}
