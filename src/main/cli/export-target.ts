import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConvScopeError } from '../../shared/errors.ts'

/**
 * The file that an export is written to: `out` itself, or `fileName` in it where it is a folder.
 * @throws ConvScopeError 'conflict' for a file that is there and shall not be replaced
 */
export async function exportTarget(out: string, fileName: string, force: boolean): Promise<string> {
  const found = await stat(out).catch(() => undefined)
  const file = found?.isDirectory() ? join(out, fileName) : out
  const isThere = found?.isDirectory() ? await stat(file).catch(() => undefined) : found
  if (!isThere || force) return file
  throw new ConvScopeError('conflict', `There is a file "${file}" already`, {
    remedy: 'Choose another place, or replace it with --force.',
  })
}
