/** The numerical engines: choosing, starting and measuring them. */
import { ENGINE_NAMES, type EngineName, type EngineReport, type EngineWish } from '../../shared/engines.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { calibrationKey, readCalibration, writeCalibration } from './calibration-cache.ts'
import type { Engine } from './engine.ts'
import { probeEngine } from './probe-engine.ts'
import { smokeTest } from './smoke-test.ts'
import { obstacle, startNamed, type EngineOptions } from './start-named.ts'

export { calibrate, measure, type Speed } from './calibration.ts'
export type * from './engine.ts'
export type { EngineOptions } from './start-named.ts'
export { disposeTensors, isTensor, mapTensors, tensorsOf } from './tensor-tree.ts'

/** `cpu` computes rightly but far too slowly; it is taken only where nothing else starts. */
const CANDIDATES = ENGINE_NAMES.filter((name) => name !== 'cpu')

/** Engines whose times differ by less than this factor count as equally fast. */
const TIE = 1.1

export interface StartOptions extends EngineOptions {
  /** Entry point of the process that tries engines (source or bundle of engine-probe.ts); found beside this module by default. */
  readonly probePath?: string
}

export interface StartedEngine {
  readonly engine: Engine
  /** One row for each engine that was considered; exactly one is 'taken'. */
  readonly reports: EngineReport[]
}

/**
 * Tries every engine but `cpu`, one after the other, each in a process of its own: start, smoke test, calibration, with `speed` also GFLOP/s.
 * Takes a few seconds, and replaces what later starts with 'auto' remember. Rows are in the order of ENGINE_NAMES.
 */
export async function probeEngines(
  options: StartOptions,
  settings: { readonly speed?: boolean } = {},
): Promise<EngineReport[]> {
  const { probePath, ...engineOptions } = options
  const reports: EngineReport[] = []
  for (const name of CANDIDATES) {
    const reason = await obstacle(name, engineOptions)
    reports.push(
      reason === undefined
        ? await probeEngine(name, engineOptions, { ...settings, probePath })
        : { name, state: 'unavailable', reason },
    )
  }
  // Where nothing passed, something is broken that may be repaired by the next start.
  if (rankEngines(reports).length > 0)
    await writeCalibration(await calibrationKey(engineOptions), reports, engineOptions)
  return reports
}

/** Names of the engines that passed, fastest first; within a tie in the order of ENGINE_NAMES. */
export function rankEngines(reports: readonly EngineReport[]): EngineName[] {
  const passed = reports.filter(
    (report) => report.calibrationMs !== undefined && (report.state === 'available' || report.state === 'taken'),
  )
  const left = passed.map(({ name, calibrationMs }) => ({ name, time: calibrationMs ?? Infinity }))
  const ranked: EngineName[] = []
  while (left.length > 0) {
    const limit = Math.min(...left.map(({ time }) => time)) * TIE
    const tied = left.filter(({ time }) => time <= limit)
    const next = ENGINE_NAMES.find((name) => tied.some((candidate) => candidate.name === name))
    const at = left.findIndex(({ name }) => name === next)
    ranked.push(...left.splice(at, 1).map(({ name }) => name))
  }
  return ranked
}

async function startTested(name: EngineName, options: EngineOptions): Promise<Engine> {
  const engine = await startNamed(name, options)
  await smokeTest(engine)
  return engine
}

async function startWished(name: EngineName, options: EngineOptions): Promise<StartedEngine> {
  const engine = await startTested(name, options).catch((error: unknown) => {
    if (error instanceof ConvScopeError && error.code === 'unsupported') throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConvScopeError('unsupported', `The engine ${name} could not be started: ${reason}`, {
      remedy: 'Choose another engine, or `auto`.',
      cause: error,
    })
  })
  return { engine, reports: [{ name, state: 'taken', reason: 'chosen by the user', identity: engine.identity }] }
}

async function startFastest(options: StartOptions): Promise<StartedEngine> {
  const { probePath: _, ...engineOptions } = options
  const remembered = await readCalibration(await calibrationKey(engineOptions), engineOptions)
  const probed = remembered ?? (await probeEngines(options))
  const failures = new Map<EngineName, string>()
  for (const name of [...rankEngines(probed), 'cpu'] as const) {
    try {
      const engine = await startTested(name, engineOptions)
      const reports = probed.map((report): EngineReport => {
        if (report.name === name)
          return { ...report, state: 'taken', reason: 'the fastest that passed its test', identity: engine.identity }
        const failure = failures.get(report.name)
        if (failure !== undefined) return { ...report, state: 'failed', reason: failure }
        return report.state === 'available' ? { ...report, reason: `slower than ${name} here` } : report
      })
      const cpu: EngineReport =
        name === 'cpu'
          ? {
              name,
              state: 'taken',
              reason: 'nothing else starts here; expect it to be very slow',
              identity: engine.identity,
            }
          : { name: 'cpu', state: 'available', reason: 'plain JavaScript, for tests only' }
      return { engine, reports: [...reports, cpu] }
    } catch (error) {
      failures.set(name, error instanceof Error ? error.message : String(error))
    }
  }
  throw new ConvScopeError(
    'internal',
    `No engine starts: ${[...failures].map(([name, reason]) => `${name}: ${reason}`).join('; ')}`,
  )
}

/**
 * Starts the engine that is wished for in this process, or with 'auto' the fastest of those that pass a test and a calibration of about a
 * second each. The outcome of the calibration is kept in `<cacheFolder>/calibration.json` until hardware or versions change.
 * A wish that cannot be met throws 'unsupported' with the reason and never becomes another engine.
 */
export async function startEngine(wish: EngineWish, options: StartOptions = {}): Promise<StartedEngine> {
  if (wish === 'auto') return startFastest(options)
  const { probePath: _, ...engineOptions } = options
  return startWished(wish, engineOptions)
}
