/** PyTorch beside compiled-steps.ts: a process of its own that computes only when it is asked. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { WorkForm } from './compiled-steps-works.ts'

export const PEER_FORMATS = ['contiguous', 'channels_last'] as const
export type PeerFormat = (typeof PEER_FORMATS)[number]

const Version = z.object({ version: z.string() })
const Times = z.object({ ms: z.array(z.number()) })

export class Peer {
  readonly version: string
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, version: string) {
    this.#child = child
    this.#lines = lines
    this.version = version
  }

  /** Undefined where there is no python3 with torch; throws where CONVSCOPE_BENCH_PYTHON names one that does not work. */
  static async start(threads: number): Promise<Peer | undefined> {
    const named = process.env['CONVSCOPE_BENCH_PYTHON'] || undefined
    const child = spawn(named ?? 'python3', [join(import.meta.dirname, 'compiled-steps-peer.py')])
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
    child.on('error', (error) => (log += String(error)))
    // What was written to a process that has ended is reported by the missing answer.
    child.stdin.on('error', () => undefined)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    child.stdin.write(`${JSON.stringify({ threads })}\n`)
    const answer = await lines.next()
    if (!answer.done) return new Peer(child, lines, Version.parse(JSON.parse(answer.value)).version)
    if (named !== undefined) throw new Error(`${named} cannot run PyTorch: ${log}`)
    return undefined
  }

  async make(work: WorkForm): Promise<void> {
    await this.#ask({ work })
  }

  /** Milliseconds of each of some calls of the work that was made last. */
  async run(format: PeerFormat, calls: number): Promise<readonly number[]> {
    return Times.parse(await this.#ask({ format, calls })).ms
  }

  stop(): void {
    this.#child.stdin.end()
  }

  async #ask(request: object): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    const answer = await this.#lines.next()
    if (answer.done) throw new Error('the process with PyTorch ended')
    return JSON.parse(answer.value)
  }
}
