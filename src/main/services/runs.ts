/** What the project holds of runs and looks. */
import { rm, writeFile } from 'node:fs/promises'
import { RunMarks } from '../../shared/presets.ts'
import { OUTPUT_EXTENSIONS, type RunRecord } from '../../shared/runs.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { diskError } from '../platform/disk-error.ts'
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
      const file = project.artifacts.scratchFile()
      try {
        await writeFile(file, zipArchive(entriesOf(run, project)))
      } catch (error) {
        await rm(file, { force: true })
        throw diskError(file, 'write', error)
      }
      const { sha256 } = await project.artifacts.adopt(file, (await hashFile(file)).sha256)
      // Nothing will name it: the next clean-up after a day removes it.
      project.artifacts.settle([sha256])
      return { sha256, fileName: `${run.kind}-${run.id}.zip` }
    },
  }
}

function entriesOf(run: RunRecord, project: Project): ZipEntry[] {
  const json = (name: string, value: unknown): ZipEntry[] =>
    value === undefined
      ? []
      : [{ name, read: () => Promise.resolve(new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)) }]
  return [
    ...json('document.json', run.document),
    ...json('result.json', run.result),
    ...json('provenance.json', run.provenance),
    ...run.outputs.map(({ name, kind, sha256 }) => ({
      name: `${name}.${OUTPUT_EXTENSIONS[kind]}`,
      read: () => project.artifacts.read(sha256),
    })),
  ]
}
