import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { ErrorReport } from '../../../shared/errors.ts'
import type { RunRecord } from '../../../shared/runs.ts'
import { Latest } from '../../lib/latest.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'

/** The run that is open, for its page and for the inspector beside it. */
export const useOpenRun = defineStore('open-run', () => {
  const client = useClient()
  const run = shallowRef<RunRecord>()
  const error = shallowRef<ErrorReport>()
  const loading = ref(false)
  const latest = new Latest()
  let id: string | undefined

  async function open(wanted: string | undefined): Promise<void> {
    if (run.value?.id !== wanted) run.value = undefined
    id = wanted
    error.value = undefined
    if (wanted === undefined) return latest.cancel()
    const turn = latest.begin()
    loading.value = true
    try {
      const record = await client.runs.show({ id: wanted }, { signal: turn.signal })
      if (turn.current()) run.value = record
    } catch (thrown) {
      if (turn.current()) error.value = reportOf(thrown)
    } finally {
      if (turn.current()) loading.value = false
    }
  }

  const reload = (): Promise<void> => open(id)

  return { run, error, loading, open, reload }
})
