/** What the project holds of runs and looks. */
import { rm, writeFile } from 'node:fs/promises'
import { RunMarks } from '../../shared/presets.ts'
import { OUTPUT_EXTENSIONS, type OutputRecord, type RunRecord } from '../../shared/runs.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { diskError, isUnreadable } from '../platform/disk-error.ts'
import { hashFile } from '../platform/hash.ts'
import type { Project } from '../project/project.ts'
import type { RunsService } from './services.ts'
import { zipArchive, type ZipEntry } from './zip.ts'

export function createRuns(project: Project, queue: JobQueue): RunsService {
  return {
    list: async (query) => project.runs.list(query),
    show: async ({ id }) => project.runs.get(id),
    keep: async ({ documentHash }) => ({ id: await queue.start(project.looks.get(documentHash).document) }),
    history: async ({ limit }) => project.looks.history(limit).items,
    rename: async ({ id, title }) => {
      project.runs.rename(id, title)
      queue.refresh()
    },
    remove: async ({ id }) => {
      project.runs.remove(id)
      queue.refresh()
    },
    restore: async ({ id }) => {
      project.runs.restore(id)
      queue.refresh()
    },
    marks: async ({ id }) => project.settings.get(`marks:${project.runs.summary(id).id}`, RunMarks, {}),
    mark: async ({ id, marks }) => {
      project.settings.set(`marks:${project.runs.summary(id).id}`, marks)
    },
    export: async ({ id }) => {
      const run = project.runs.get(id)
      const damaged: DamagedFile[] = []
      const file = project.artifacts.scratchFile()
      try {
        await writeFile(file, zipArchive(entriesOf(run, project, damaged)))
      } catch (error) {
        await rm(file, { force: true })
        throw diskError(file, 'write', error)
      }
      const { sha256 } = await project.artifacts.adopt(file, (await hashFile(file)).sha256)
      // Nothing will name it: the next clean-up after a day removes it.
      project.artifacts.settle([sha256])
      return { sha256, fileName: `${run.kind}-${run.id}.zip`, damaged: damaged.map(({ name }) => name) }
    },
  }
}

/** A file of a run that cannot be read. */
interface DamagedFile {
  readonly name: string
  readonly reason: string
}

/** Outputs that cannot be read are left out and added to `damaged`, which comes last. */
function entriesOf(run: RunRecord, project: Project, damaged: DamagedFile[]): ZipEntry[] {
  const json = (name: string, value: () => unknown): ZipEntry => ({
    name,
    read: async () => {
      const found = value()
      return found === undefined ? undefined : new TextEncoder().encode(`${JSON.stringify(found, null, 2)}\n`)
    },
  })
  const output = ({ name: stem, kind, sha256 }: OutputRecord): ZipEntry => {
    const name = `${stem}.${OUTPUT_EXTENSIONS[kind]}`
    const read = async (): Promise<Uint8Array | undefined> => {
      try {
        return await project.artifacts.read(sha256)
      } catch (error) {
        if (!isUnreadable(error)) throw error
        damaged.push({ name, reason: error.message })
        return undefined
      }
    }
    return { name, read }
  }
  return [
    json('document.json', () => run.document),
    json('result.json', () => run.result),
    json('provenance.json', () => run.provenance),
    ...run.outputs.map(output),
    json('damaged.json', () => (damaged.length > 0 ? damaged : undefined)),
  ]
}
