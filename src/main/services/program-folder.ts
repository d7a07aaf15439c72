/** Where the program's own files lie, from the sources as from the bundles. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder that holds `package.json`, `resources/`, `scripts/` and `node_modules/`. */
export function programFolder(start: string = import.meta.dirname): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'resources'))) return folder
    if (folder === dirname(folder)) throw new Error(`The program's folder is not above ${start}`)
  }
}
