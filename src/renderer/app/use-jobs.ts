import { onScopeDispose, shallowRef } from 'vue'
import type { ShallowRef } from 'vue'
import type { JobSummary } from '../../shared/jobs.ts'
import { follow } from '../lib/follow.ts'
import type { useClient } from '../rpc/use-client.ts'

/** Running, waiting and last finished jobs as they change. */
export function useJobs(client: ReturnType<typeof useClient>): Readonly<ShallowRef<readonly JobSummary[]>> {
  const jobs = shallowRef<readonly JobSummary[]>([])
  const controller = new AbortController()
  void follow(
    (signal) => client.jobs.overview(undefined, { signal }),
    (list) => (jobs.value = list),
    controller.signal,
  )
  onScopeDispose(() => controller.abort())
  return jobs
}
