/** The files of other programs in `tests/conformance/files`. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sourceFileOf, type SourceFile } from '../../files/source-file.ts'
import type { Sample } from './fuzz.ts'

export const CONFORMANCE_FOLDER = join(import.meta.dirname, '../../../../tests/conformance')

/** In memory, under their own names. */
export function exampleFiles(...names: readonly string[]): SourceFile[] {
  return exampleBytes(...names).map(({ name, bytes }) => sourceFileOf(name, bytes))
}

export function exampleBytes(...names: readonly string[]): Sample[] {
  return names.map((name) => ({
    name: name.split('/').at(-1) ?? name,
    bytes: new Uint8Array(readFileSync(join(CONFORMANCE_FOLDER, 'files', name))),
  }))
}
