import { getCurrentScope, onScopeDispose, shallowRef } from 'vue'
import type { ShallowRef } from 'vue'
import type { SystemStatus } from '../../shared/contract/system.ts'
import { follow } from '../lib/follow.ts'
import { useClient } from './use-client.ts'

const status = shallowRef<SystemStatus>()
let followers = 0
let controller: AbortController | undefined

/** Session, engine and memory as they change; one stream for everybody who asks. Undefined until the first value. */
export function useSystemStatus(client = useClient()): Readonly<ShallowRef<SystemStatus | undefined>> {
  if (followers++ === 0) {
    controller = new AbortController()
    void follow(
      (signal) => client.system.status(undefined, { signal }),
      (value) => (status.value = value),
      controller.signal,
    )
  }
  if (getCurrentScope()) {
    onScopeDispose(() => {
      if (--followers === 0) controller?.abort()
    })
  }
  return status
}
