/** `--out`: one flat folder with a run's files. */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'
import { OUTPUT_EXTENSIONS, type OutputRecord, type RunRecord } from '../../shared/runs.ts'
import { diskError, isUnreadable } from '../platform/disk-error.ts'
import { writeFileAtomically } from '../platform/atomic-file.ts'

/** The name of an output's file, e.g. `projections.npy`. */
export function fileNameOf(output: OutputRecord): string {
  return `${output.name}.${OUTPUT_EXTENSIONS[output.kind]}`
}

/**
 * Makes the folder where it is missing. Called before the run starts, so that a long run does not end with a folder that cannot be written.
 * @throws ConvScopeError 'conflict' where the folder holds files of something else, 'disk' where it cannot be made
 */
export async function prepareOutputFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
    const names = await readdir(folder)
    if (names.length === 0 || names.includes('document.json')) return
  } catch (error) {
    throw diskError(folder, 'write', error)
  }
  throw new ConvScopeError('conflict', `The folder "${folder}" holds other files`, {
    remedy: 'Choose an empty folder, or one that an earlier run wrote.',
  })
}

/**
 * Writes `document.json`, `result.json` (where there is a result), `provenance.json` and every output.
 * @returns the names written
 * @throws ConvScopeError 'damaged' where outputs cannot be read, after the others have been written
 */
export async function writeOutputFolder(
  folder: string,
  run: RunRecord,
  readArtifact: (sha256: string) => Promise<Uint8Array>,
): Promise<string[]> {
  const names: string[] = []
  const write = async (name: string, contents: Uint8Array | string): Promise<void> => {
    await writeFileAtomically(join(folder, name), contents)
    names.push(name)
  }
  const damaged: string[] = []
  for (const output of run.outputs) {
    const contents = await readArtifact(output.sha256).catch((error: unknown) => {
      if (!isUnreadable(error)) throw error
      damaged.push(fileNameOf(output))
    })
    if (contents) await write(fileNameOf(output), contents)
  }
  if (run.provenance) await write('provenance.json', jsonText(run.provenance))
  if (run.result !== undefined) await write('result.json', jsonText(run.result))
  await write('document.json', jsonText(run.document))
  if (damaged.length > 0) {
    const message = `These files of the run ${run.id} cannot be read and were left out: ${damaged.join(', ')}`
    throw new ConvScopeError('damaged', message, { remedy: 'Run its document again to get them back.' })
  }
  return names.sort()
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
