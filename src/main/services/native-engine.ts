/** The native engine in the cache folder: whether it is there, and fetching it by the program's script. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import * as z from 'zod'
import type { EngineInstall } from '../../shared/contract/system.ts'
import { ConvScopeError, toErrorReport, type ErrorCode } from '../../shared/errors.ts'
import { findNode } from '../sessions/launcher.ts'
import { LatestValue } from '../sessions/latest-value.ts'

export const InstalledEngine = z.object({
  name: z.string(),
  folder: z.string(),
  bytes: z.number(),
  complete: z.boolean(),
  problems: z.array(z.string()),
})
export type InstalledEngine = z.infer<typeof InstalledEngine>

const FetchLine = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('progress'),
    message: z.string(),
    done: z.number().optional(),
    total: z.number().optional(),
  }),
  z.object({ type: z.literal('done'), name: z.string() }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string(), remedy: z.string().optional() }),
])

/** What the script calls it → what the program calls it. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  'disk-full': 'disk',
  'not-writable': 'disk',
  'wrong-hash': 'damaged',
  'wrong-content': 'damaged',
  'unknown-engine': 'not-found',
  interrupted: 'cancelled',
}

export interface NativeEngineOptions {
  readonly programFolder: string
  readonly cacheFolder: string
  /** A folder with TensorFlow's libraries that is used instead of the cache folder's. */
  readonly givenFolder?: string
}

export class NativeEngine {
  readonly state = new LatestValue<EngineInstall>({ state: 'missing', reason: 'Not looked for yet' })
  readonly #options: NativeEngineOptions
  #installing: Promise<void> | undefined
  #child: ChildProcess | undefined

  constructor(options: NativeEngineOptions) {
    this.#options = options
  }

  /** Looks whether it is there. */
  async refresh(): Promise<EngineInstall> {
    if (this.#installing) return this.state.value
    const installed = this.#options.givenFolder !== undefined || (await this.list()).some(isUsableCpuEngine)
    this.state.set(
      installed ? { state: 'installed' } : { state: 'missing', reason: 'The native engine is not in the cache folder' },
    )
    return this.state.value
  }

  async list(): Promise<InstalledEngine[]> {
    return z.array(InstalledEngine).parse(await this.#manage(['list']))
  }

  /** Whether there was one of that name. @throws ConvScopeError 'not-found' for what is no engine's name */
  async remove(name: string): Promise<boolean> {
    return z.object({ removed: z.boolean() }).parse(await this.#manage(['remove', name])).removed
  }

  /**
   * Fetches the engine; a second call while the first is under way waits for the same. `state` follows it.
   * @throws ConvScopeError with reason and remedy
   */
  install({ cuda = false }: { cuda?: boolean } = {}): Promise<void> {
    this.#installing ??= this.#install(cuda).finally(() => {
      this.#installing = undefined
      this.#child = undefined
    })
    return this.#installing
  }

  /** Stops fetching; what was downloaded is used again by the next try. */
  close(): void {
    this.#child?.kill('SIGTERM')
  }

  async #install(cuda: boolean): Promise<void> {
    this.state.set({ state: 'installing', message: 'Looking for the native engine' })
    try {
      await this.#fetch(cuda)
      this.state.set({ state: 'installed' })
    } catch (error) {
      this.state.set({ state: 'failed', error: toErrorReport(error) })
      throw error
    }
  }

  async #fetch(cuda: boolean): Promise<void> {
    const args = ['--json', '--cache', this.#options.cacheFolder, ...(cuda ? ['--cuda'] : [])]
    const child = this.#start('fetch.mjs', args)
    this.#child = child
    const ended = exitOf(child)
    let failure: ConvScopeError | undefined
    let done = false
    for await (const line of createInterface({ input: child.stdout })) {
      const parsed = FetchLine.safeParse(parseJson(line))
      if (!parsed.success) continue
      const event = parsed.data
      if (event.type === 'done') done = true
      if (event.type === 'error') {
        failure = new ConvScopeError(CODES[event.code] ?? 'unsupported', event.message, { remedy: event.remedy })
      }
      if (event.type === 'progress') this.state.set({ state: 'installing', ...progressOf(event) })
    }
    const { code, errors } = await ended
    if (failure) throw failure
    if (!done)
      throw new ConvScopeError('internal', `Fetching the native engine ended with code ${code}`, { details: errors })
  }

  async #manage(args: readonly string[]): Promise<unknown> {
    const child = this.#start('manage.mjs', [...args, '--cache', this.#options.cacheFolder])
    const ended = exitOf(child)
    let text = ''
    child.stdout.setEncoding('utf8')
    for await (const piece of child.stdout) text += String(piece)
    const { code, errors } = await ended
    if (code === 0) return parseJson(text)
    const message = errors.replace(/^\s*ConvScope: /, '').trim() || `The list of engines ended with code ${code}`
    throw new ConvScopeError('not-found', message.split('\n')[0] ?? message, { details: errors })
  }

  #start(script: string, args: readonly string[]) {
    const file = join(this.#options.programFolder, 'scripts', 'engine', script)
    return spawn(findNode(), [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
  }
}

function isUsableCpuEngine({ name, complete }: InstalledEngine): boolean {
  return complete && name.startsWith('tensorflow-cpu-')
}

function progressOf({ message, done, total }: { message: string; done?: number; total?: number }) {
  if (done === undefined || !total) return { message }
  return { message, fraction: Math.min(Math.max(done / total, 0), 1) }
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

async function exitOf(child: ChildProcess): Promise<{ code: number | null; errors: string }> {
  let errors = ''
  child.stderr?.setEncoding('utf8')
  child.stderr?.on('data', (piece: string) => {
    errors = (errors + piece).slice(-4000)
  })
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: null, errors: `${errors}${error.message}` }))
    child.on('close', (code) => resolve({ code, errors }))
  })
}
