/** Networks of the library, with the geometry that the worker computes. */
import type { ExaminationRequest } from '../../shared/contract/networks.ts'
import type { DatasetRecord } from '../../shared/datasets.ts'
import type { PictureReference } from '../../shared/experiments/index.ts'
import type { Classification, Examination } from '../../shared/network/examination.ts'
import type { Preprocessing } from '../../shared/network/spec.ts'
import type { NetworkPage, NetworkRecord, WeightHistogram } from '../../shared/network/page.ts'
import type { Library } from '../../shared/wire/protocol.ts'
import type { Project } from '../project/project.ts'
import type { Supervisor } from '../sessions/supervisor.ts'
import type { FileSession } from './file-session.ts'
import { withBorrowedFile } from './borrowed-file.ts'
import { importNetwork, withoutSpec } from './imports.ts'
import { changeNetwork, renameNetwork } from './network-changes.ts'
import { exportNetwork } from './network-export.ts'
import { progressStream, type ReportProgress } from './progress-stream.ts'
import type { NetworksService } from './services.ts'

export function createNetworks(
  project: Project,
  supervisor: Supervisor,
  files: FileSession,
  layersOf: (network: NetworkRecord) => Promise<NetworkPage['layers']>,
): NetworksService {
  /** By the hash of the weights. */
  const histograms = new Map<string, WeightHistogram[]>()

  const classify = async (
    name: string,
    picture: PictureReference,
    preprocessing: Preprocessing | undefined,
  ): Promise<Classification> => {
    const network = project.networks.get(name)
    const library = libraryOf(network, 'dataset' in picture ? project.datasets.get(picture.dataset) : undefined)
    const params = { network: network.name, picture: inLibrary(picture, library), preprocessing }
    return (await supervisor.call('network-classify', params, library)).result
  }

  const examine = async (
    { name, pictures, reference }: ExaminationRequest,
    report: ReportProgress,
    signal: AbortSignal,
  ): Promise<Examination> => {
    if (reference && 'path' in reference) {
      const { path, ...rest } = reference
      return withBorrowedFile(path, project, (artifact) =>
        examine({ name, pictures, reference: { ...rest, artifact } }, report, signal),
      )
    }
    const network = project.networks.get(name)
    const data = pictures && project.datasets.get(pictures.dataset)
    const { result } = await supervisor.perform(
      'network-examine',
      { network: network.name, pictures: pictures && data && { ...pictures, dataset: data.name }, reference },
      { library: libraryOf(network, data), onProgress: report, signal },
    )
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
    histograms: ({ name }, options) =>
      progressStream(async (report, signal) => {
        const network = project.networks.get(name)
        const known = histograms.get(network.weights)
        if (known) return known
        const { result } = await files.perform(
          'weight-histograms',
          { network: network.name },
          { library: libraryOf(network), sizeBytes: 0, onProgress: report, signal },
        )
        histograms.set(network.weights, result)
        return result
      }, options?.signal),
    architectures: async () => (await files.perform('architectures', {}, { sizeBytes: 0 })).result,
    import: (request, options) =>
      progressStream(
        (report, signal) => importNetwork(request, { project, session: files }, report, signal),
        options?.signal,
      ),
    classify: async ({ name, picture, preprocessing }): Promise<Classification> => {
      if ('path' in picture)
        return withBorrowedFile(picture.path, project, (artifact) => classify(name, { artifact }, preprocessing))
      return classify(name, picture, preprocessing)
    },
    accuracy: ({ name, dataset, split, count }, options) =>
      progressStream(async (report, signal) => {
        const network = project.networks.get(name)
        const data = project.datasets.get(dataset)
        const { result } = await supervisor.perform(
          'network-accuracy',
          { network: network.name, dataset: data.name, split, count },
          { library: libraryOf(network, data), onProgress: report, signal },
        )
        return result
      }, options?.signal),
    examine: (request, options) =>
      progressStream((report, signal) => examine(request, report, signal), options?.signal),
    export: (request, options) =>
      progressStream(
        (report, signal) => exportNetwork(request, { project, session: files }, report, signal),
        options?.signal,
      ),
    change: async (change) => changeNetwork(change, await layersOf(project.networks.get(change.name)), project),
    rename: async (input) => renameNetwork(input, project),
    remove: async ({ name }) => {
      project.networks.remove(name)
    },
  }
}

function libraryOf(network: NetworkRecord, dataset?: DatasetRecord): Library {
  return { networks: { [network.name]: network }, datasets: dataset ? { [dataset.name]: dataset } : {} }
}

/** The reference with the data set's name as the library has it: letter case does not matter to who asks. */
function inLibrary(picture: PictureReference, { datasets }: Library): PictureReference {
  const [name] = Object.keys(datasets)
  return 'dataset' in picture && name !== undefined ? { ...picture, dataset: name } : picture
}
