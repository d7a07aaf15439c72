import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { DatasetRecord } from '../../../shared/datasets.ts'
import type { ErrorReport } from '../../../shared/errors.ts'
import { Latest } from '../../lib/latest.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'

/** The data sets of the library, for the list and for whoever changes it. */
export const useDatasets = defineStore('datasets', () => {
  const client = useClient()
  const datasets = shallowRef<readonly DatasetRecord[]>()
  const error = shallowRef<ErrorReport>()
  const latest = new Latest()

  /** Fetches the list; what is in sight stays until the answer is there. */
  async function reload(): Promise<void> {
    const turn = latest.begin()
    try {
      const list = await client.datasets.list(undefined, { signal: turn.signal })
      if (!turn.current()) return
      datasets.value = list
      error.value = undefined
    } catch (thrown) {
      if (turn.current()) error.value = reportOf(thrown)
    }
  }

  return { datasets, error, reload }
})
