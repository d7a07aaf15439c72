/** Cancelling while one long step computes, in a worker process as the program starts it. What is asserted is an order, never a time. */
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { defaultCacheFolder, holdsTensorflow, tensorflowFolder } from '../src/compute/engines/folders.ts'
import { localLaunch } from '../src/main/sessions/launcher.ts'
import { start, testSupervisor, workerPid, type TestSupervisor } from '../src/main/sessions/testing/test-supervisor.ts'

const workerPath = join(import.meta.dirname, 'long-steps/worker.ts')

/** Cancels a run as soon as the worker has logged `line`; what the run ended with. */
async function cancelAt(test: TestSupervisor, kind: string, line: string): Promise<unknown> {
  const abort = new AbortController()
  const known = test.log.length
  const run = start(test.supervisor, kind, 0, { signal: abort.signal })
  const ended = run.answer.then(
    () => 'a result',
    (error: unknown) => error,
  )
  const watching = setInterval(() => {
    if (test.log.indexOf(line, known) >= 0) abort.abort()
  }, 1)
  const outcome = await ended
  clearInterval(watching)
  return outcome
}

let test: TestSupervisor
afterEach(() => test[Symbol.asyncDispose]())

async function startOn(engine: 'wasm' | 'tensorflow'): Promise<void> {
  const launch = () => localLaunch({ workerPath, threads: 1 })
  // TensorFlow lies in the user's cache folder.
  const cacheFolder = defaultCacheFolder()
  const timings = { readyMs: 60_000, cancelMs: 60_000 }
  test = await testSupervisor({ engine, threads: 1, launch, cacheFolder, timings })
  await test.supervisor.start()
}

async function expectFirstCallToBeLeft(): Promise<void> {
  expect(await cancelAt(test, 'first', 'the first call begins')).toMatchObject({ code: 'cancelled' })
  expect(test.log).toContain('the first call begins')
  expect(test.log).not.toContain('the first call was not interrupted')
}

it('a step that runs operation by operation is left between two of them', async () => {
  await startOn('wasm')
  await expectFirstCallToBeLeft()
})

const missing = !holdsTensorflow(tensorflowFolder('cpu', undefined, defaultCacheFolder()))
it.skipIf(missing && process.env['CI'] === undefined)(
  'a capture is left, and a captured step is not waited for (left out where TensorFlow is not installed)',
  async () => {
    await startOn('tensorflow')
    await expectFirstCallToBeLeft()
    const pid = workerPid(test.log)
    const outcome = await cancelAt(test, 'call', 'the long call begins')
    const ended = start(test.supervisor, 'ended')
    const again = start(test.supervisor, 'again')
    expect(outcome).toMatchObject({ code: 'cancelled' })
    // The third call is still under way; the fourth waits for it, and so its variable was assigned.
    expect((await ended.answer).result).toBe(2)
    expect((await again.answer).result).toBe(4)
    expect(workerPid(test.log)).toBe(pid)
  },
)
