/**
 * How soon a cancel is answered while a worker climbs on a VGG-16-size network, whose steps last half a second.
 *
 *   node bench/compiled-steps-cancel.ts [--times N] [--out FILE]
 *
 * The worker is the product's, with its protocol thread and its engine thread. Each time a run is started, has made a step or more (the
 * first run captures), and is cancelled at a random moment of a step; measured is the time until the worker has answered that the run was
 * cancelled. Fails where one answer takes 200 ms or more.
 */
import { appendFile } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { localLaunch } from '../src/main/sessions/launcher.ts'
import { testSupervisor } from '../src/main/sessions/testing/test-supervisor.ts'

const LIMIT_MS = 200
const STEP_MS = 500

const { values } = parseArgs({ options: { times: { type: 'string', default: '25' }, out: { type: 'string' } } })
const workerPath = join(import.meta.dirname, 'compiled-steps-cancel-worker.ts')
await using test = await testSupervisor({
  engine: 'tensorflow',
  launch: () => localLaunch({ workerPath }),
  timings: { readyMs: 60_000, cancelMs: 15_000 },
})
const times: number[] = []
const stepTimes: number[] = []
for (let count = 0; count < Number(values.times); count++) {
  const abort = new AbortController()
  const warm = Promise.withResolvers<undefined>()
  let lastStep = NaN
  const run = test.supervisor.run(
    {
      id: randomUUID(),
      document: { kind: 'ascent' },
      library: { networks: {}, datasets: {} },
      pictures: false,
      priority: 'job',
    },
    {
      signal: abort.signal,
      onEvent: (event) => {
        if (event.type !== 'step') return
        const now = performance.now()
        if (event.done > 1) stepTimes.push(now - lastStep)
        lastStep = now
        if (event.done === (count === 0 ? 3 : 1)) warm.resolve(undefined)
      },
    },
  )
  await Promise.race([warm.promise, run])
  await after(Math.random() * STEP_MS)
  const started = performance.now()
  abort.abort()
  const ended = await run.then(
    () => 'a result',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  times.push(performance.now() - started)
  if (!ended.includes('cancelled')) throw new Error(`a cancelled run ended with: ${ended}`)
}
times.sort((a, b) => a - b)
stepTimes.sort((a, b) => a - b)
const at = (list: readonly number[], share: number): string =>
  (list[Math.min(list.length - 1, Math.floor(share * list.length))] ?? NaN).toFixed(1)
const line =
  `${times.length} cancels during steps of ${at(stepTimes, 0.5)} ms (longest ${at(stepTimes, 1)}): ` +
  `median ${at(times, 0.5)} ms, 90 % ${at(times, 0.9)} ms, slowest ${at(times, 1)} ms; ` +
  `load ${loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')}\n`
process.stdout.write(line)
if (values.out !== undefined) await appendFile(values.out, line)
process.exitCode = (times.at(-1) ?? Infinity) < LIMIT_MS ? 0 : 1
