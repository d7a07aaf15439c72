import { getCurrentScope, onScopeDispose, shallowRef, watch } from 'vue'
import type { ShallowRef } from 'vue'
import { TERMINAL_EVENTS, type JobSummary } from '../../shared/jobs.ts'
import { follow } from '../lib/follow.ts'
import { useClient } from './use-client.ts'

const jobs = shallowRef<readonly JobSummary[]>([])
let followers = 0
let controller: AbortController | undefined

/** Running, waiting and last finished jobs as they change; one stream for everybody who asks. */
export function useJobs(client = useClient()): Readonly<ShallowRef<readonly JobSummary[]>> {
  if (followers++ === 0) {
    controller = new AbortController()
    void follow(
      (signal) => client.jobs.overview(undefined, { signal }),
      (list) => (jobs.value = list),
      controller.signal,
    )
  }
  if (getCurrentScope()) {
    onScopeDispose(() => {
      if (--followers === 0) controller?.abort()
    })
  }
  return jobs
}

/** Calls `onEnd` whenever a job that was waiting or running has ended: a training may have left a network. */
export function useJobEnd(onEnd: () => void, client = useClient()): void {
  const ended = (list: readonly JobSummary[]): Set<string> =>
    new Set(list.filter(({ run }) => TERMINAL_EVENTS.some((state) => state === run.state)).map(({ run }) => run.id))
  watch(useJobs(client), (list, before) => {
    const known = ended(before)
    const fresh = [...ended(list)].filter((id) => !known.has(id))
    if (fresh.some((id) => before.some(({ run }) => run.id === id))) onEnd()
  })
}
