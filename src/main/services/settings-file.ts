/** The user's settings, for every project: `settings.json` in the configuration folder. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Settings } from '../../shared/contract/system.ts'
import { writeFileAtomically } from '../platform/atomic-file.ts'
import { diskError } from '../platform/disk-error.ts'
import { createLogger } from '../platform/logger.ts'

const log = createLogger('settings')

export class SettingsFile {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  get #file(): string {
    return join(this.folder, 'settings.json')
  }

  /** Defaults where there is no file; a file that does not fit is logged and ignored. */
  async read(): Promise<Settings> {
    const text = await readFile(this.#file, 'utf8').catch(() => undefined)
    if (text === undefined) return Settings.parse({})
    try {
      return Settings.parse(JSON.parse(text))
    } catch (error) {
      log.warn('the settings file does not fit and is ignored', { file: this.#file, error })
      return Settings.parse({})
    }
  }

  /** @throws ConvScopeError 'disk' */
  async change(change: Partial<Settings>): Promise<Settings> {
    const settings = Settings.parse({ ...(await this.read()), ...change })
    try {
      await mkdir(this.folder, { recursive: true })
    } catch (error) {
      throw diskError(this.folder, 'write', error)
    }
    await writeFileAtomically(this.#file, `${JSON.stringify(settings, null, 2)}\n`)
    return settings
  }
}
