/** The short questions that main asks; see `WORKER_METHODS`. */
import { ConvScopeError } from '../../shared/errors.ts'
import { measure, probeEngines } from '../engines/index.ts'
import { datasetCounts, datasetPage } from '../data/dataset-page.ts'
import { importDataset } from '../data/import/import-dataset.ts'
import { splitStatistics } from '../data/statistics.ts'
import { measureAccuracy } from '../doctor/accuracy.ts'
import { classifyPicture } from '../doctor/classify.ts'
import { examineNetwork } from '../doctor/examine-network.ts'
import { liveFrame } from '../experiments/live-frame.ts'
import { buildGraph, layerPages } from '../network/graph.ts'
import { knownArchitectures } from '../network/architectures/index.ts'
import { exportNetworkFile } from './export-network.ts'
import { importNetworkFiles } from './import-network.ts'
import type { RunContext } from './run-context.ts'
import { weightHistograms } from './weight-histograms.ts'
import type { Methods, StartMessage } from './worker-registry.ts'

/** @param startOptions what the session was started with, once it was */
export function workerMethods(startOptions: () => Pick<StartMessage, 'threads' | 'cacheFolder'>): Methods {
  return {
    'network-page': async ({ network }, context) => layerPages(buildGraph(context.record(network).spec)),
    'network-weights': async ({ network, layer }, context) => networkWeights(network, layer, context),
    'dataset-page': async ({ dataset, split, offset, count, classIndex, side }, context) => {
      const data = await context.dataset(dataset, split)
      const { images, ...page } = await datasetPage(data, { offset, count, classIndex, side })
      await context.outputArray('images', [page.indices.length, ...page.shape], images)
      return page
    },
    'dataset-counts': async ({ dataset, split }, context) =>
      datasetCounts(await context.dataset(dataset, split)).classes,
    'dataset-import': importDataset,
    'dataset-statistics': ({ dataset, split }, context) => splitStatistics(dataset, split, context),
    architectures: async () =>
      knownArchitectures.map(({ name, title, source, parameters }) => ({ name, title, source, parameters })),
    'network-import': importNetworkFiles,
    'network-export': exportNetworkFile,
    'network-examine': examineNetwork,
    'network-classify': classifyPicture,
    'live-frame': liveFrame,
    'network-accuracy': measureAccuracy,
    'weight-histograms': weightHistograms,
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
