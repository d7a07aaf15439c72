/** Entry point of the process that tries one engine, so that a crash, a hung driver or a loaded library stays out of the program. */
import { writeSync } from 'node:fs'
import type { EngineReport } from '../../shared/engines.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { calibrate, measure } from './calibration.ts'
import { PROBE_ANSWER_FD, ProbeRequest } from './probe-request.ts'
import { smokeTest } from './smoke-test.ts'
import { startNamed } from './start-named.ts'

async function probe({ name, options, speed }: ProbeRequest): Promise<EngineReport> {
  let started = false
  try {
    const engine = await startNamed(name, options)
    started = true
    await smokeTest(engine)
    const calibrationMs = await calibrate(engine)
    return {
      name,
      state: 'available',
      reason: `passed its test in ${calibrationMs.toFixed(1)} ms`,
      identity: engine.identity,
      calibrationMs,
      ...(speed ? await measure(engine) : {}),
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const state = error instanceof ConvScopeError && error.code === 'unsupported' && !started ? 'unavailable' : 'failed'
    return { name, state, reason }
  }
}

const answer = await probe(ProbeRequest.parse(JSON.parse(process.argv[2] ?? '')))
writeSync(PROBE_ANSWER_FD, JSON.stringify(answer))
// Worker threads and drivers would keep the process alive.
process.exit(0)
