/** Workers that do not keep to the protocol: the session ends with a clear error, and nothing else is harmed. */
import { describe, expect, it } from 'vitest'
import { localLaunch } from './launcher.ts'
import { start, TEST_WORKER, testSupervisor, untilStatus, workerPid } from './testing/test-supervisor.ts'

const once = { restarts: { count: 1, windowMs: 60_000 } }

describe('a worker', () => {
  it.each([
    ['wrong-magic', 'damaged', 'Where a message should begin'],
    ['oversized', 'too-large', '4294967295 bytes'],
    ['bad-messagepack', 'damaged', 'not MessagePack'],
    ['wrong-schema', 'damaged', 'does not fit the protocol'],
    ['truncated', 'damaged', 'ends inside a message'],
  ])('that sends %s ends its session alone', async (behaviour, code, message) => {
    await using healthy = await testSupervisor()
    await using faulty = await testSupervisor(once, behaviour)
    const beside = start(healthy.supervisor, 'count', 20)
    const run = start(faulty.supervisor, 'wait', 60_000)
    await expect(run.answer).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
    expect(faulty.supervisor.currentStatus).toMatchObject({ state: 'failed', error: { code } })
    expect((await beside.answer).result).toEqual({ counted: 20 })
  })

  it('of another protocol version is refused, without a second try', async () => {
    await using test = await testSupervisor({}, 'version')
    await expect(test.supervisor.start()).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('protocol'),
    })
    expect(test.supervisor.currentStatus.state).toBe('failed')
    expect(test.log.filter((line) => line.includes('worker process'))).toHaveLength(1)
  })

  it('that never answers is given up', async () => {
    await using test = await testSupervisor({ ...once, timings: { helloMs: 300 } }, 'silent')
    await expect(test.supervisor.start()).rejects.toMatchObject({
      code: 'crash',
      message: expect.stringContaining('within 0.3 s'),
    })
  })

  it('that ends at once is explained by its last words', async () => {
    await using test = await testSupervisor(once, 'die')
    await expect(test.supervisor.start()).rejects.toMatchObject({
      code: 'crash',
      message: expect.stringContaining('exit code 3'),
      details: expect.stringContaining('cannot find libtensorflow'),
    })
  })

  it('that cannot be started is explained', async () => {
    const launch = () => localLaunch({ workerPath: TEST_WORKER, nodePath: '/no/such/node' })
    await using test = await testSupervisor({ ...once, launch })
    await expect(test.supervisor.start()).rejects.toMatchObject({
      code: 'crash',
      message: expect.stringContaining('ENOENT'),
    })
  })

  it('may be greeted by its host first', async () => {
    await using test = await testSupervisor({}, 'banner')
    await test.supervisor.start()
    expect(test.log).toContain('Welcome to host seven')
  })

  it('that stops giving signs of life is ended', async () => {
    // Long enough for a worker that only waits for its turn on a busy machine.
    await using test = await testSupervisor({ ...once, timings: { heartbeatMs: 50, missedHeartbeats: 60 } })
    await test.supervisor.start()
    process.kill(workerPid(test.log), 'SIGSTOP')
    const status = await untilStatus(test.supervisor, ({ state }) => state === 'failed')
    expect(status.message).toContain('no sign of life for 3 s')
  })

  it('whose engine does not start says why, and can be given another engine', async () => {
    await using test = await testSupervisor({ engine: 'webgpu' })
    await expect(start(test.supervisor, 'count', 1).answer).rejects.toMatchObject({
      code: 'unsupported',
      message: 'WebGPU has no adapter',
    })
    expect(test.supervisor.currentStatus).toMatchObject({
      state: 'failed',
      engines: [{ name: 'webgpu', reason: 'no adapter' }],
    })
    await test.supervisor.setEngine('cpu', 1)
    expect((await start(test.supervisor, 'count', 1).answer).result).toEqual({ counted: 1 })
  })
})

describe('a change of engine', () => {
  it('waits until nothing runs, or ends what does', async () => {
    await using test = await testSupervisor()
    const short = start(test.supervisor, 'count', 20)
    await short.event('step')
    const pid = workerPid(test.log)
    const changed = test.supervisor.setEngine('cpu', undefined, 'idle')
    expect((await short.answer).result).toEqual({ counted: 20 })
    await changed
    expect(workerPid(test.log)).not.toBe(pid)
    const long = start(test.supervisor, 'count', 100_000)
    await long.event('step')
    await test.supervisor.setEngine('wasm', undefined)
    await expect(long.answer).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('lets what is asked meanwhile wait for the new session', async () => {
    await using test = await testSupervisor()
    await test.supervisor.start()
    const changed = test.supervisor.setEngine('cpu', undefined)
    const run = start(test.supervisor, 'count', 1)
    expect((await run.answer).result).toEqual({ counted: 1 })
    await changed
  })
})

describe('stopping', () => {
  it('ends a worker that computes without a break', async () => {
    await using test = await testSupervisor()
    const run = start(test.supervisor, 'busy', 60_000)
    await run.event('step')
    const pid = workerPid(test.log)
    await test.supervisor.stop()
    expect(() => process.kill(pid, 0)).toThrow(expect.objectContaining({ code: 'ESRCH' }))
    await expect(run.answer).rejects.toMatchObject({ code: 'cancelled' })
    expect(test.supervisor.currentStatus.state).toBe('stopped')
  })
})
