/** Data sets of the library; their files are read by the worker. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { DatasetRecord } from '../../shared/datasets.ts'
import { decodeNpy } from '../../shared/npy.ts'
import type { Library } from '../../shared/wire/protocol.ts'
import type { Project } from '../project/project.ts'
import type { Supervisor } from '../sessions/supervisor.ts'
import { halveSplit, importDataset } from './dataset-imports.ts'
import type { FileSession } from './file-session.ts'
import { progressStream } from './progress-stream.ts'
import type { DatasetsService } from './services.ts'

export function createDatasets(project: Project, supervisor: Supervisor, files: FileSession): DatasetsService {
  return {
    list: async () => project.datasets.list().items,
    page: async ({ name, split, offset, count, classIndex, side }) => {
      const dataset = project.datasets.get(name)
      const params = { dataset: dataset.name, split, offset, count, classIndex, side }
      const { result, outputs } = await supervisor.call('dataset-page', params, libraryOf(dataset))
      const images = outputs.find(({ record }) => record.name === 'images')
      const pictures = images && decodeNpy(images.bytes, 'The page of a data set that the compute worker sent').values
      if (!(pictures instanceof Uint8Array))
        throw new ConvScopeError('damaged', 'The compute worker sent a page of a data set without pictures')
      return { ...result, images: pictures }
    },
    counts: async ({ name, split }) => {
      const dataset = project.datasets.get(name)
      const { result } = await supervisor.call('dataset-counts', { dataset: dataset.name, split }, libraryOf(dataset))
      return result
    },
    import: (request, options) =>
      progressStream(
        (report, signal) => importDataset(request, { project, session: files }, report, signal),
        options?.signal,
      ),
    halve: async (input) => halveSplit(input, project),
    remove: async ({ name }) => {
      const same = (dataset: DatasetRecord): boolean => dataset.name.toLowerCase() === name.toLowerCase()
      // One that cannot be read can be removed, too; its files go with the next clean-up.
      const splits = project.datasets.list().items.find(same)?.splits ?? []
      project.datasets.remove(name)
      await project.discard(splits.flatMap(({ images, labels, packed }) => [images, labels ?? [], packed ?? []].flat()))
    },
    statistics: async ({ name, split }, { signal } = {}) => {
      const dataset = project.datasets.get(name)
      const known = project.datasets.statistics(dataset.name, split)
      if (known) return known
      const params = { dataset: dataset.name, split }
      const errand = { library: libraryOf(dataset), sizeBytes: 0, signal }
      // Needs no engine, and would keep looks waiting.
      const { result } = await files.perform('dataset-statistics', params, errand)
      // Somebody may have put another data set there meanwhile.
      if (project.datasets.get(name).hash === dataset.hash) project.datasets.saveStatistics(dataset.name, result)
      return result
    },
  }
}

function libraryOf(dataset: DatasetRecord): Library {
  return { networks: {}, datasets: { [dataset.name]: dataset } }
}
