/** One worker process: starts it, speaks the protocol with it, watches it, and ends it. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { ConvScopeError, type ErrorCode } from '../../shared/errors.ts'
import type { Json } from '../../shared/values.ts'
import { encodeMessage, MessageReader } from '../../shared/wire/messages.ts'
import { FromWorker, PROTOCOL_VERSION, type Library, type ToWorker } from '../../shared/wire/protocol.ts'
import { LineLog } from './line-log.ts'
import { messagePacker } from './packer.ts'
import { Requests } from './requests.ts'
import type { Answer, RequestHandlers, SessionEnd, SessionOptions, SessionReady, SessionRun } from './session-types.ts'
import { DRAIN_MS, memoryError, waitForExit, workerError, type Exit } from './worker-process.ts'

export class Session {
  /** Resolves when the engine is ready; rejects with the reason the session ended where it never was. */
  readonly ready: Promise<SessionReady>
  /** Resolves once the process is gone, whatever the reason. */
  readonly ended: Promise<SessionEnd>
  readonly #options: SessionOptions
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  readonly #log: LineLog
  readonly #requests = new Requests()
  readonly #timers = new Set<NodeJS.Timeout>()
  #state: 'launched' | 'greeted' | 'ready' | 'ending' = 'launched'
  #stopping = false
  #gone = false
  /** Why this side ended the process. */
  #verdict: SessionEnd | undefined
  /** What the worker itself reported before it ended. */
  #lastWords: ConvScopeError | undefined
  /** Set where the stream ended inside a message. */
  #truncation: unknown
  #missedHeartbeats = 0
  /** What the last heartbeat said. */
  #busy: string | undefined
  #resolveReady: (ready: SessionReady) => void = () => undefined

  constructor(options: SessionOptions) {
    this.#options = options
    const [program, ...args] = options.command.argv
    this.#child = spawn(program, args, {
      env: { ...options.command.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    })
    this.#log = new LineLog((line) => options.logger.info(line))
    this.ended = this.#watchEnd()
    this.ready = Promise.race([
      new Promise<SessionReady>((resolve) => {
        this.#resolveReady = resolve
      }),
      this.ended.then(({ error }): never => {
        throw error
      }),
    ])
    // Who does not wait for the engine learns of the end by `ended`.
    this.ready.catch(() => undefined)
    this.#child.stderr.on('data', (bytes: Buffer) => this.#log.push(bytes))
    // A write to a process that is gone fails here too; its end is reported by `ended`.
    this.#child.stdin.on('error', (error) => options.logger.debug(`stdin of the worker: ${error.message}`))
    this.#read()
    this.#deadline(options.timings.helloMs, () => this.#state === 'launched', 'did not answer')
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  /** Whether the process has exited. */
  get isGone(): boolean {
    return this.#gone
  }

  /** Rejects with the run's error, or with the session's where it ends before. */
  run(run: SessionRun, handlers: RequestHandlers = {}): Promise<Answer> {
    return this.#request({ type: 'run', ...run }, handlers)
  }

  call(id: string, method: string, params: Json, library: Library, handlers: RequestHandlers = {}): Promise<Answer> {
    return this.#request({ type: 'call', id, method, params, library }, handlers)
  }

  pause(id: string): void {
    this.#send({ type: 'pause', id })
  }

  resume(id: string): void {
    this.#send({ type: 'resume', id })
  }

  adjust(id: string, path: string, value: number): void {
    this.#send({ type: 'adjust', id, path, value })
  }

  /**
   * Asks the run to end. Ends the worker where it computes on regardless for `timings.cancelMs`; a run that only waits for its
   * turn is not worth that.
   */
  cancel(id: string): void {
    if (!this.#requests.has(id)) return
    this.#send({ type: 'cancel', id })
    const check = (): void => {
      if (!this.#requests.has(id)) return
      if (this.#busy === id) this.#kill(this.#explain('crash', 'did not react to a cancel and was ended'))
      else this.#after(this.#options.timings.cancelMs, check)
    }
    this.#after(this.#options.timings.cancelMs, check)
  }

  /** Polite first: a message and the end of its input, then SIGTERM, then SIGKILL. Resolves once the process is gone. */
  async stop(reason = new ConvScopeError('cancelled', 'The session was stopped')): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true
      this.#verdict ??= { reason: 'stopped', error: reason, engines: [] }
      this.#send({ type: 'stop' })
      this.#state = 'ending'
      this.#child.stdin.end()
      const { stopMs, terminateMs } = this.#options.timings
      this.#after(stopMs, () => this.#child.kill('SIGTERM'))
      this.#after(stopMs + terminateMs, () => this.#child.kill('SIGKILL'))
    }
    await this.ended
  }

  /** Ends the process at once. */
  #kill(error: ConvScopeError, reason: SessionEnd['reason'] = 'crash', engines: SessionEnd['engines'] = []): void {
    this.#verdict ??= { reason, error, engines }
    this.#state = 'ending'
    this.#child.kill('SIGKILL')
  }

  async #request(message: Extract<ToWorker, { type: 'run' | 'call' }>, handlers: RequestHandlers): Promise<Answer> {
    if (this.#state === 'ending') throw (await this.ended).error
    if (this.#state !== 'ready') throw new ConvScopeError('conflict', 'The session is not ready')
    // Encoded first: what is too large for a frame fails alone.
    const frame = encodeMessage(messagePacker, message)
    const answer = this.#requests.add(message.id, handlers)
    this.#write(frame)
    return answer
  }

  #send(message: ToWorker): void {
    this.#write(encodeMessage(messagePacker, message))
  }

  #write(frame: Uint8Array): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(frame)
  }

  #read(): void {
    const reader = new MessageReader(messagePacker, FromWorker, { onNoise: (bytes) => this.#log.push(bytes) })
    const guard = (act: () => void): void => {
      if (this.#verdict && this.#verdict.reason !== 'stopped') return
      try {
        act()
      } catch (error) {
        if (!(error instanceof ConvScopeError)) throw error
        this.#kill(this.#unreadable(error))
      }
    }
    this.#child.stdout.on('data', (bytes: Buffer) =>
      guard(() => {
        for (const message of reader.push(bytes)) this.#accept(message)
      }),
    )
    this.#child.stdout.on('end', () => {
      try {
        reader.end()
      } catch (error) {
        // A process that was killed leaves half a message; then the kill is the reason to name.
        this.#truncation = error
      }
      this.#after(DRAIN_MS, () => guard(() => this.#throwTruncation()))
    })
  }

  #throwTruncation(): void {
    throw this.#truncation ?? new ConvScopeError('damaged', 'it closed its output')
  }

  #accept(message: FromWorker): void {
    switch (message.type) {
      case 'hello':
        return this.#greet(message)
      case 'ready':
        this.#state = this.#state === 'ending' ? 'ending' : 'ready'
        return this.#resolveReady({ engine: message.engine, engines: message.engines })
      case 'failed-to-start':
        return this.#kill(ConvScopeError.from(message.error), 'refused', message.engines)
      case 'heartbeat':
        return this.#checkHeartbeat(message)
      case 'fatal':
        this.#lastWords = ConvScopeError.from(message.error)
        return
      default:
        if (!this.#requests.accept(message))
          this.#options.logger.debug(`"${message.type}" for ${message.id}, which is over`)
    }
  }

  #greet(hello: Extract<FromWorker, { type: 'hello' }>): void {
    const { engine, threads, cacheFolder, artifactFolders, artifactFiles, scratchFolder, timings } = this.#options
    if (hello.protocol !== PROTOCOL_VERSION) {
      const versions = `${hello.program} speaks protocol ${hello.protocol}, this program ${PROTOCOL_VERSION}`
      const remedy = 'Install the same version of ConvScope on both sides.'
      return this.#kill(
        new ConvScopeError('unsupported', `The compute worker does not fit: ${versions}`, { remedy }),
        'refused',
      )
    }
    if (this.#state !== 'launched') return
    this.#state = 'greeted'
    this.#options.logger.info(`${hello.program} on Node ${hello.node}, process ${hello.pid}`)
    this.#send({
      type: 'start',
      protocol: PROTOCOL_VERSION,
      engine,
      threads,
      cacheFolder,
      artifactFolders: [...artifactFolders],
      artifactFiles: { ...artifactFiles },
      scratchFolder,
      heartbeatMs: timings.heartbeatMs,
    })
    this.#deadline(timings.readyMs, () => this.#state === 'greeted', 'did not become ready')
    this.#watchHeartbeats()
  }

  #checkHeartbeat({ residentBytes, tensors, busy }: Extract<FromWorker, { type: 'heartbeat' }>): void {
    this.#missedHeartbeats = 0
    this.#busy = busy
    this.#options.onHeartbeat({ residentBytes, tensors, busy })
    const { memoryLimitBytes } = this.#options
    if (residentBytes <= memoryLimitBytes || this.#state === 'ending') return
    this.#kill(memoryError(residentBytes, memoryLimitBytes, this.#log.tail))
  }

  /** Counts its own ticks, not time: a main process that was itself suspended must not blame the worker. */
  #watchHeartbeats(): void {
    const { heartbeatMs, missedHeartbeats } = this.#options.timings
    const timer = setInterval(() => {
      this.#missedHeartbeats++
      if (this.#missedHeartbeats <= missedHeartbeats || this.#state === 'ending') return
      this.#kill(this.#explain('crash', `gave no sign of life for ${(missedHeartbeats * heartbeatMs) / 1000} s`))
    }, heartbeatMs)
    this.#timers.add(timer)
  }

  #deadline(milliseconds: number, isMissed: () => boolean, what: string): void {
    this.#after(milliseconds, () => {
      if (isMissed() && this.#state !== 'ending')
        this.#kill(this.#explain('crash', `${what} within ${milliseconds / 1000} s`))
    })
  }

  #after(milliseconds: number, act: () => void): void {
    if (this.#gone) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, milliseconds)
    this.#timers.add(timer)
  }

  async #watchEnd(): Promise<SessionEnd> {
    const exit = await waitForExit(this.#child)
    this.#state = 'ending'
    this.#gone = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#log.end()
    const end = this.#verdict ?? { reason: 'crash', error: this.#describeExit(exit), engines: [] }
    const what = `worker process ${this.pid ?? 'that did not start'}: ${end.reason}`
    this.#options.logger.info(`${what}, ${end.error.message}`)
    this.#requests.rejectAll(end.error)
    return end
  }

  #describeExit({ how, orderly }: Exit): ConvScopeError {
    const words = this.#lastWords
    if (words)
      return this.#explain(words.code === 'memory' ? 'memory' : 'crash', `ended: ${words.message}`, words.details)
    if (orderly && this.#truncation instanceof ConvScopeError) return this.#unreadable(this.#truncation)
    return this.#explain('crash', how)
  }

  #unreadable(error: ConvScopeError): ConvScopeError {
    return this.#explain(error.code, `sent something unreadable: ${error.message}`, error.details)
  }

  #explain(code: ErrorCode, message: string, details?: string): ConvScopeError {
    return workerError(code, message, this.#log.tail, { details })
  }
}
