/** Networks of the library, with the geometry that the worker computes. */
import type { NetworkPage, NetworkRecord, WeightHistogram } from '../../shared/network/page.ts'
import type { Library } from '../../shared/wire/protocol.ts'
import type { Project } from '../project/project.ts'
import type { Supervisor } from '../sessions/supervisor.ts'
import type { FileSession } from './file-session.ts'
import { importNetwork, withoutSpec } from './imports.ts'
import { changeNetwork, renameNetwork } from './network-changes.ts'
import { progressStream } from './progress-stream.ts'
import type { NetworksService } from './services.ts'

export function createNetworks(project: Project, supervisor: Supervisor, files: FileSession): NetworksService {
  /** By the network's hash: what a worker once computed of it stays true. */
  const pages = new Map<string, NetworkPage['layers']>()

  /** By the hash of the weights. */
  const histograms = new Map<string, WeightHistogram[]>()

  const layersOf = async (network: NetworkRecord): Promise<NetworkPage['layers']> => {
    const known = pages.get(network.hash)
    if (known) return known
    const { result } = await supervisor.call('network-page', { network: network.name }, libraryOf(network))
    pages.set(network.hash, result)
    return result
  }

  return {
    list: async () => project.networks.list().items.map(withoutSpec),
    page: async ({ name }) => {
      const network = project.networks.get(name)
      const layers = await layersOf(network)
      return { network, layers, parameters: layers.reduce((sum, { parameters }) => sum + parameters, 0) }
    },
    weights: async ({ name, layer }) => {
      const network = project.networks.get(name)
      const { result, outputs } = await supervisor.call(
        'network-weights',
        { network: network.name, layer },
        libraryOf(network),
      )
      return result.map(({ parameter, shape }) => {
        const output = outputs.find(({ record }) => record.name === parameter)
        return { parameter, shape, values: new Uint8Array(output?.bytes ?? []) }
      })
    },
    histograms: ({ name }, options) => {
      const network = project.networks.get(name)
      return progressStream(async (report, signal) => {
        const known = histograms.get(network.weights)
        if (known) return known
        const { result } = await files.perform(
          'weight-histograms',
          { network: network.name },
          { library: libraryOf(network), sizeBytes: 0, onProgress: report, signal },
        )
        histograms.set(network.weights, result)
        return result
      }, options?.signal)
    },
    architectures: async () => (await files.perform('architectures', {}, { sizeBytes: 0 })).result,
    import: (request, options) =>
      progressStream(
        (report, signal) => importNetwork(request, { project, session: files }, report, signal),
        options?.signal,
      ),
    change: async (change) => changeNetwork(change, await layersOf(project.networks.get(change.name)), project),
    rename: async (input) => renameNetwork(input, project),
    remove: async ({ name }) => {
      project.networks.remove(name)
    },
  }
}

function libraryOf(network: NetworkRecord): Library {
  return { networks: { [network.name]: network }, datasets: {} }
}
