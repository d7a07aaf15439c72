import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { TaskScheduler, type Task, type TaskPriority } from './task-scheduler.ts'

/** A task of so many steps that notes what happens to it. */
function task(id: string, priority: TaskPriority, steps: number, log: string[], onStep?: (step: number) => void): Task {
  let done = 0
  return {
    id,
    priority,
    advance: async () => {
      await turn()
      log.push(`${id}${++done}`)
      onStep?.(done)
      return done === steps
    },
    abort: () => log.push(`${id} abort`),
    cancel: async () => void log.push(`${id} cancel`),
    show: async () => void log.push(`${id} shows`),
    adjust: ({ path, value }) => log.push(`${id} ${path} = ${value}`),
    onPaused: (paused) => log.push(`${id} ${paused ? 'paused' : 'resumed'}`),
  }
}

function scheduler() {
  const busy: (string | undefined)[] = []
  let idle = Promise.withResolvers<undefined>()
  const tasks = new TaskScheduler({
    onBusy: (id) => {
      busy.push(id)
      if (id !== undefined) return
      idle.resolve(undefined)
      idle = Promise.withResolvers()
    },
    onTurn: async () => void (await turn()),
  })
  return { tasks, busy, idle: () => idle.promise }
}

describe('TaskScheduler', () => {
  it('computes jobs one after another', async () => {
    const log: string[] = []
    const { tasks, busy, idle } = scheduler()
    tasks.add(task('a', 'job', 2, log))
    tasks.add(task('b', 'job', 2, log))
    await idle()
    expect(log).toEqual(['a1', 'a2', 'b1', 'b2'])
    expect(busy).toEqual(['a', 'b', undefined])
  })

  it('computes errands before jobs, and looks between their steps', async () => {
    const log: string[] = []
    const { tasks, idle } = scheduler()
    const errand = task('e', 'errand', 3, log, (step) => {
      if (step === 1) tasks.add(task('x', 'look', 2, log))
    })
    const job = task('j', 'job', 2, log, (step) => {
      if (step === 1) tasks.add(errand)
    })
    tasks.add(job)
    await idle()
    expect(log).toEqual(['j1', 'e1', 'x1', 'x2', 'e2', 'e3', 'j2'])
  })

  it('computes looks to their end between the steps of a job', async () => {
    const log: string[] = []
    const { tasks, busy, idle } = scheduler()
    const job = task('j', 'job', 3, log, (step) => {
      if (step !== 1) return
      tasks.add(task('x', 'look', 2, log))
      tasks.add(task('y', 'look', 1, log))
    })
    tasks.add(job)
    await idle()
    expect(log).toEqual(['j1', 'x1', 'x2', 'y1', 'j2', 'j3'])
    expect(busy).toEqual(['j', 'x', 'y', 'j', undefined])
  })

  it('leaves the thread to others while a job is paused', async () => {
    const log: string[] = []
    const { tasks, idle } = scheduler()
    tasks.add(task('a', 'job', 3, log, (step) => step === 1 && tasks.pause('a')))
    tasks.add(task('b', 'job', 2, log, (step) => step === 1 && tasks.resume('a')))
    await idle()
    // A job that goes on does not push aside the one that has taken its place.
    expect(log).toEqual(['a1', 'a paused', 'a shows', 'b1', 'a resumed', 'b2', 'a2', 'a3'])
  })

  it('lets a paused job advance until it rests, before the job that has taken its place', async () => {
    const log: string[] = []
    const { tasks, idle } = scheduler()
    tasks.add(
      task('a', 'job', 4, log, (step) => {
        if (step === 1) tasks.pause('a')
        if (step === 3) tasks.rest('a')
      }),
    )
    tasks.add(
      task('b', 'job', 3, log, (step) => {
        if (step === 1) tasks.adjust('a', { path: 'advance', value: 2 })
        if (step === 3) tasks.resume('a')
      }),
    )
    await idle()
    expect(log).toEqual([
      ...['a1', 'a paused', 'a shows', 'b1', 'a advance = 2', 'a2', 'a3'],
      ...['b2', 'b3', 'a resumed', 'a4'],
    ])
  })

  it('cancels what is cancelled while it tells where it was paused', async () => {
    const log: string[] = []
    const { tasks, idle } = scheduler()
    const paused = task('a', 'job', 9, log, (step) => step === 1 && tasks.pause('a'))
    tasks.add({
      ...paused,
      show: async () => {
        await turn()
        tasks.cancel('a')
      },
    })
    await idle()
    expect(log).toEqual(['a1', 'a paused', 'a abort', 'a cancel'])
  })

  it('cancels what waits, runs and is paused', async () => {
    const log: string[] = []
    const { tasks, idle } = scheduler()
    tasks.add(task('a', 'job', 9, log, (step) => step === 2 && tasks.cancel('a')))
    tasks.add(task('b', 'job', 9, log, (step) => step === 1 && (tasks.pause('b'), tasks.cancel('b'))))
    tasks.add(task('c', 'job', 9, log))
    tasks.cancel('c')
    tasks.cancel('unknown')
    await idle()
    expect(log).toEqual([
      'c abort',
      'c cancel',
      'a1',
      'a2',
      'a abort',
      'a cancel',
      'b1',
      'b paused',
      'b abort',
      'b cancel',
    ])
  })

  it('ends everything when asked to', async () => {
    const log: string[] = []
    const { tasks } = scheduler()
    tasks.add(task('a', 'job', 1000, log))
    tasks.add(task('b', 'look', 1000, log))
    await turn()
    await tasks.cancelAll()
    expect(log).toContain('a cancel')
    expect(log).toContain('b cancel')
  })
})
