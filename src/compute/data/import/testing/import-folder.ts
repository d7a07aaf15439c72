/** Imports into a temporary folder, as tests see them: outputs by name, and the splits read back from them. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { WorkerMethodParams, WorkerMethodResult } from '../../../../shared/wire/protocol.ts'
import { loadDatasetSplit, type DatasetSplitData } from '../../dataset-split.ts'
import { importDataset } from '../import-dataset.ts'

export interface Imported {
  readonly result: WorkerMethodResult<'dataset-import'>
  /** Of every call of `progress`. */
  readonly steps: readonly (readonly [done: number, total: number, unit: string])[]
  split(name: string): Promise<DatasetSplitData>
}

export class ImportFolder {
  readonly path: string
  #imports = 0

  private constructor(path: string) {
    this.path = path
  }

  static async create(): Promise<ImportFolder> {
    return new ImportFolder(await mkdtemp(join(tmpdir(), 'convscope-test-')))
  }

  /** Writes a file below the folder; its path. */
  async write(path: string, bytes: Uint8Array | string): Promise<string> {
    const place = join(this.path, path)
    await mkdir(dirname(place), { recursive: true })
    await writeFile(place, bytes)
    return place
  }

  /** @param cancelAfter calls of `progress`, after which it says that nobody wants the import any more */
  async import(
    paths: readonly string[],
    options: Partial<WorkerMethodParams<'dataset-import'>> & { cancelAfter?: number } = {},
  ): Promise<Imported> {
    const { cancelAfter = Infinity, ...params } = options
    const scratchFolder = join(this.path, `.scratch-${this.#imports++}`)
    await mkdir(scratchFolder)
    const outputs = new Map<string, string>()
    const steps: [number, number, string][] = []
    const sources = paths.map((path) => ({ name: basename(path), path }))
    const result = await importDataset(
      { sources, inPlace: false, ...params },
      {
        scratchFolder,
        signal: new AbortController().signal,
        progress: (...step) => {
          if (steps.push(step) > cancelAfter) throw new Error('nobody wants it')
        },
        outputFile: async ({ name }, write) => {
          await write(join(scratchFolder, name))
          outputs.set(name, join(scratchFolder, name))
        },
      },
    )
    const find = async (name: string): Promise<string> => outputs.get(name) ?? Promise.reject(new Error(`no ${name}`))
    const record = { name: 'imported', title: '', source: 'imported', attribution: '', hash: '', addedAt: 0 } as const
    return {
      result,
      steps,
      split: (name) =>
        loadDatasetSplit({ ...record, ...result }, name, {
          find,
          read: async (output) => readFile(await find(output)),
        }),
    }
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true })
  }
}
