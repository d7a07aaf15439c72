import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { ErrorReport } from '../../../shared/errors.ts'
import type { NetworkRecord } from '../../../shared/network/page.ts'
import { Latest } from '../../lib/latest.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'

/** The networks of the library, for the list and for whoever changes it. */
export const useNetworks = defineStore('networks', () => {
  const client = useClient()
  const networks = shallowRef<readonly Omit<NetworkRecord, 'spec'>[]>()
  const error = shallowRef<ErrorReport>()
  const latest = new Latest()

  /** Fetches the list; what is in sight stays until the answer is there. */
  async function reload(): Promise<void> {
    const turn = latest.begin()
    try {
      const list = await client.networks.list(undefined, { signal: turn.signal })
      if (!turn.current()) return
      networks.value = list
      error.value = undefined
    } catch (thrown) {
      if (turn.current()) error.value = reportOf(thrown)
    }
  }

  return { networks, error, reload }
})
