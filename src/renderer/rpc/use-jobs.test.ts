import { expect, it, vi } from 'vitest'
import { effectScope, nextTick } from 'vue'
import type { JobSummary } from '../../shared/jobs.ts'
import type { ContractClient } from '../../shared/rpc/client.ts'
import type { RunState } from '../../shared/runs.ts'
import { useJobEnd, useJobs } from './use-jobs.ts'

const job = (id: string, state: RunState): JobSummary => ({
  run: { id, kind: 'train-classifier', title: id, state, documentHash: 'a'.repeat(64), createdAt: 0 },
})

it('says when a job that was on its way has ended, and leaves the stream with its last follower', async () => {
  let send: (list: JobSummary[]) => void = () => undefined
  let signal: AbortSignal | undefined
  const overview = vi.fn(async (_: undefined, options: { signal: AbortSignal }) => {
    signal = options.signal
    return (async function* () {
      for (;;) yield await new Promise<JobSummary[]>((resolve) => (send = resolve))
    })()
  })
  const client = { jobs: { overview } } as unknown as ContractClient
  const onEnd = vi.fn()
  const scope = effectScope()
  const jobs = scope.run(() => {
    useJobEnd(onEnd, client)
    return useJobs(client)
  })
  const show = async (list: JobSummary[]): Promise<void> => {
    await vi.waitFor(() => {
      send(list)
      expect(jobs?.value).toEqual(list)
    })
    await nextTick()
  }
  await show([job('old', 'done')])
  await show([job('old', 'done'), job('new', 'queued')])
  await show([job('new', 'running'), job('old', 'done')])
  expect(onEnd).not.toHaveBeenCalled()
  await show([job('new', 'done'), job('old', 'done')])
  expect(onEnd).toHaveBeenCalledTimes(1)
  expect(overview).toHaveBeenCalledTimes(1)
  expect(signal?.aborted).toBe(false)
  scope.stop()
  expect(signal?.aborted).toBe(true)
})
