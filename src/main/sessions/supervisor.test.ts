import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CancelledRun } from './active-run.ts'
import { start, testSupervisor, untilStatus, workerPid, type TestSupervisor } from './testing/test-supervisor.ts'

const stepsOf = (events: { type: string }[]): number => events.filter(({ type }) => type === 'step').length

describe('one session', () => {
  let test: TestSupervisor
  beforeAll(async () => {
    test = await testSupervisor()
  })
  afterAll(() => test[Symbol.asyncDispose]())

  it('runs a document with events, and keeps outputs from frames and files', async () => {
    const run = start(test.supervisor, 'outputs', 500_000)
    const { result, outputs, engine } = await run.answer
    expect(result).toEqual({ done: true })
    expect(engine).toBeUndefined()
    expect(run.events).toEqual([
      { type: 'started' },
      { type: 'step', done: 1, total: 1, unit: 'steps', values: { loss: 1 } },
    ])
    expect(outputs).toMatchObject([
      { name: 'small', kind: 'picture', bytes: 2 },
      { name: 'large', kind: 'array', bytes: 2_000_000, shape: [500_000], dtype: 'float32' },
    ])
    for (const { sha256, bytes } of outputs) {
      expect(await readFile(join(test.folder, 'artifacts', sha256.slice(0, 2), sha256))).toHaveLength(bytes)
    }
    expect(await test.scratchFiles()).toEqual([])
  })

  it('answers calls with their outputs as bytes, and names mistakes', async () => {
    const page = { dataset: 'mnist', split: 'test' as const, offset: 3, count: 2, classIndex: 7 }
    const { result, outputs } = await test.supervisor.call('dataset-page', page)
    expect(result).toEqual({ total: 100, indices: [3, 4], labels: [3, 4], shape: [2, 1, 1] })
    expect(outputs).toMatchObject([{ record: { name: 'images', shape: [2, 2] }, bytes: new Uint8Array([7, 7, 7, 7]) }])
    await expect(test.supervisor.call('dataset-page', { ...page, count: 0 })).rejects.toMatchObject({
      code: 'invalid-input',
    })
    await expect(test.supervisor.call('measure', {})).rejects.toMatchObject({ code: 'unsupported' })
  })

  it("passes an experiment's own error on and goes on", async () => {
    await expect(start(test.supervisor, 'throw').answer).rejects.toMatchObject({
      code: 'invalid-input',
      message: 'The layer has no such channel',
      remedy: 'Choose another.',
    })
    await expect(start(test.supervisor, 'no-such-kind').answer).rejects.toMatchObject({ code: 'invalid-input' })
    expect((await start(test.supervisor, 'count', 1).answer).result).toEqual({ counted: 1 })
    expect(test.supervisor.currentStatus.state).toBe('ready')
    expect(test.supervisor.currentStatus.message).toBeUndefined()
  })

  it('cancels a run that computes, with the outputs it had written', async () => {
    const abort = new AbortController()
    const run = start(test.supervisor, 'count', 100_000, { signal: abort.signal })
    await run.event('step')
    abort.abort()
    const error = await run.answer.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(CancelledRun)
    expect(error).toMatchObject({ code: 'cancelled', outputs: [{ name: 'last', kind: 'json' }] })
    expect(test.supervisor.currentStatus.state).toBe('ready')
  })

  it('cancels what waits for its turn, and what waits without computing', async () => {
    const [computing, waiting] = [start(test.supervisor, 'wait', 60_000), start(test.supervisor, 'count', 5)]
    await computing.event('step')
    test.supervisor.cancel(waiting.id)
    test.supervisor.cancel(computing.id)
    await expect(waiting.answer).rejects.toMatchObject({ code: 'cancelled', outputs: [] })
    await expect(computing.answer).rejects.toMatchObject({ code: 'cancelled' })
    expect(waiting.events).toEqual([])
  })

  it('does not end a worker for a cancelled run that only waits', async () => {
    await using test = await testSupervisor({ timings: { cancelMs: 100 } })
    const [busy, waiting] = [start(test.supervisor, 'busy', 800), start(test.supervisor, 'count', 5)]
    await busy.event('step')
    test.supervisor.cancel(waiting.id)
    await expect(waiting.answer).rejects.toMatchObject({ code: 'cancelled' })
    expect((await busy.answer).result).toBeNull()
  })

  it('pauses and goes on, and computes others meanwhile', async () => {
    const long = start(test.supervisor, 'count', 60)
    // It cannot be over before the word arrives, however busy this process is.
    test.supervisor.pause(long.id)
    await long.event('paused')
    // The step that was under way is over when another run has had its turn.
    await start(test.supervisor, 'count', 1).answer
    const before = stepsOf(long.events)
    await start(test.supervisor, 'count', 3).answer
    expect(stepsOf(long.events)).toBe(before)
    expect(test.supervisor.currentStatus.state).toBe('ready')
    test.supervisor.resume(long.id)
    expect((await long.answer).result).toEqual({ counted: 60 })
    expect(long.events.filter(({ type }) => type !== 'step').map(({ type }) => type)).toEqual([
      'started',
      'paused',
      'resumed',
    ])
  })

  it('computes looks and calls between the steps of a job', async () => {
    const job = start(test.supervisor, 'count', 100_000)
    await job.event('step')
    const look = await start(test.supervisor, 'count', 5, { priority: 'look' }).answer
    const call = await test.supervisor.call('dataset-counts', { dataset: 'mnist', split: 'test' })
    const before = stepsOf(job.events)
    const next = start(test.supervisor, 'count', 1)
    expect(look.result).toEqual({ counted: 5 })
    expect(call.result).toEqual([1, 2, 3])
    await start(test.supervisor, 'count', 2, { priority: 'look' }).answer
    expect(next.events).toEqual([])
    expect(stepsOf(job.events)).toBeGreaterThanOrEqual(before)
    test.supervisor.cancel(job.id)
    await next.answer
  })

  it('refuses an output whose bytes are not those announced', async () => {
    const run = start(test.supervisor, 'damaged-output', 500_000)
    await expect(run.answer).rejects.toMatchObject({ code: 'damaged', message: expect.stringContaining('"large"') })
    expect(await test.scratchFiles()).toEqual([])
  })

  it.each([10, 2_000_000])('keeps checkpoints of %i bytes as artifacts and goes on from them', async (bytes) => {
    const first = start(test.supervisor, 'checkpoint', bytes)
    expect((await first.answer).result).toEqual({ from: 0 })
    const event = await first.event('checkpoint')
    if (event.type !== 'checkpoint') throw new Error('not a checkpoint')
    expect(event).toMatchObject({ step: 1, artifact: { bytes } })
    const second = start(test.supervisor, 'checkpoint', bytes, { checkpoint: event.artifact.sha256 })
    expect((await second.answer).result).toEqual({ from: 1 })
  })

  it('ends a run whose events cannot be recorded', async () => {
    const onEvent = (): void => {
      throw new Error('the database is gone')
    }
    await expect(start(test.supervisor, 'count', 100_000, { onEvent }).answer).rejects.toThrow('the database is gone')
    expect(test.supervisor.currentStatus.state).toBe('ready')
  })

  it('drops previews that nobody can keep up with, not steps', async () => {
    const run = start(test.supervisor, 'previews', 500)
    await run.answer
    const previews = run.events.filter(({ type }) => type === 'preview').length
    expect(previews).toBeGreaterThan(0)
    expect(run.events.at(0)).toEqual({ type: 'started' })
  })
})

describe('a session of its own', () => {
  it('cancels a run before the session is there', async () => {
    await using test = await testSupervisor({}, 'silent')
    const run = start(test.supervisor, 'count', 5)
    test.supervisor.cancel(run.id)
    await expect(run.answer).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('ends a worker that does not react to a cancel', async () => {
    await using test = await testSupervisor({ timings: { cancelMs: 200 } })
    const run = start(test.supervisor, 'busy', 60_000)
    await run.event('step')
    test.supervisor.cancel(run.id)
    await expect(run.answer).rejects.toMatchObject({ code: 'cancelled' })
    expect((await start(test.supervisor, 'count', 1).answer).result).toEqual({ counted: 1 })
  })

  it('beats while the engine thread is busy, and says what it computes', async () => {
    await using test = await testSupervisor({ timings: { heartbeatMs: 50 } })
    const run = start(test.supervisor, 'busy', 60_000)
    await run.event('step')
    let beats = 0
    for await (const status of test.supervisor.status()) {
      if (status.busy !== run.id) continue
      expect(status.state).toBe('computing')
      if (++beats === 8) break
    }
    await test.supervisor.stop()
    await expect(run.answer).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('fails a job whose worker is killed with the reason crash, and runs the next in a fresh worker', async () => {
    await using test = await testSupervisor()
    const [job, paused] = [start(test.supervisor, 'count', 100_000), start(test.supervisor, 'count', 5)]
    test.supervisor.pause(paused.id)
    await job.event('step')
    const pid = workerPid(test.log)
    process.kill(pid, 'SIGKILL')
    await expect(job.answer).rejects.toMatchObject({ code: 'crash', message: expect.stringContaining('SIGKILL') })
    await expect(paused.answer).rejects.toMatchObject({ code: 'crash' })
    expect((await start(test.supervisor, 'count', 1).answer).result).toEqual({ counted: 1 })
    expect(workerPid(test.log)).not.toBe(pid)
    expect(test.supervisor.currentStatus).toMatchObject({ state: 'ready', message: expect.stringContaining('SIGKILL') })
  })

  it.each([
    ['kill', 'signal SIGKILL', 'about to be killed'],
    ['abort', 'signal SIGABRT', ''],
    ['reject', 'nobody awaits this', 'nobody awaits this'],
  ])('explains a worker that ends by itself: %s', async (kind, message, lastWords) => {
    await using test = await testSupervisor()
    await expect(start(test.supervisor, kind).answer).rejects.toMatchObject({
      code: 'crash',
      message: expect.stringContaining(message),
      ...(lastWords === '' ? {} : { details: expect.stringContaining(lastWords) }),
    })
  })

  it('gives up after the third crash, says so, and starts again when asked to', async () => {
    await using test = await testSupervisor({ restarts: { count: 3, windowMs: 60_000 } })
    for (let crash = 0; crash < 3; crash++)
      await expect(start(test.supervisor, 'kill').answer).rejects.toMatchObject({ code: 'crash' })
    const failed = await untilStatus(test.supervisor, ({ state }) => state === 'failed')
    expect(failed.message).toContain('3 times within 60 s')
    await expect(start(test.supervisor, 'count', 1).answer).rejects.toMatchObject({
      code: 'crash',
      message: failed.message,
    })
    await test.supervisor.start()
    expect((await start(test.supervisor, 'count', 1).answer).result).toEqual({ counted: 1 })
  })

  it('ends a worker above its memory limit', async () => {
    await using test = await testSupervisor({ memoryLimitBytes: 300 * 2 ** 20 })
    const run = start(test.supervisor, 'allocate', 600 * 2 ** 20)
    await expect(run.answer).rejects.toMatchObject({
      code: 'memory',
      message: expect.stringContaining('limit is 300 MiB'),
    })
    expect((await start(test.supervisor, 'count', 1).answer).result).toEqual({ counted: 1 })
  })

  it('sends what libraries print on standard output to the log', async () => {
    await using test = await testSupervisor()
    const run = start(test.supervisor, 'print', 20)
    await run.answer
    await test.supervisor.stop()
    expect(stepsOf(run.events)).toBe(20)
    expect(test.log).toEqual(expect.arrayContaining(['stdout line 1 é', 'stdout line 20 é']))
  })

  it('counts a checkpoint that is on its way when the worker ends, and clears up before it says so', async () => {
    await using test: TestSupervisor = await testSupervisor({
      keepOutput: async ({ record }) => {
        process.kill(workerPid(test.log), 'SIGKILL')
        await untilStatus(test.supervisor, ({ state }) => state === 'crashed' || state === 'starting')
        return record
      },
    })
    const run = start(test.supervisor, 'checkpoint-and-wait', 2_000_000)
    await expect(run.answer).rejects.toMatchObject({ code: 'crash' })
    expect(run.events.at(-1)).toMatchObject({ type: 'checkpoint', step: 1 })
    expect(await test.scratchFiles()).toEqual([])
  })

  it('tells of a checkpoint that cannot be kept, and goes on', async () => {
    await using test = await testSupervisor({ keepOutput: () => Promise.reject(new Error('the disk is full')) })
    const run = start(test.supervisor, 'checkpoint', 10)
    await run.answer
    expect(run.events).toContainEqual({
      type: 'log',
      message: 'The checkpoint at step 1 was not kept: the disk is full',
    })
  })
})
