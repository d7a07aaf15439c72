import { defineStore } from 'pinia'
import { ref, shallowRef, watch } from 'vue'
import type { ErrorReport } from '../../../shared/errors.ts'
import { ExperimentKindName } from '../../../shared/experiments/index.ts'
import { RunState, type RunSummary } from '../../../shared/runs.ts'
import { follow } from '../../lib/follow.ts'
import { Latest } from '../../lib/latest.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'
import { showError, showMessage } from '../../ui/toasts.ts'

const CHUNK = 100

/** The list of runs: fetched in parts as they come into view. */
export const useRuns = defineStore('runs', () => {
  const client = useClient()
  const search = ref('')
  const kind = ref('all')
  const state = ref('all')
  /** As long as there are runs; holes are not fetched yet. */
  const runs = shallowRef<readonly (RunSummary | undefined)[]>([])
  const problems = shallowRef<readonly string[]>([])
  const loading = ref(false)
  const error = shallowRef<ErrorReport>()
  const latest = new Latest()
  let turn = latest.begin()
  let requested = new Set<number>()

  async function load(offset: number): Promise<void> {
    const { signal, current } = turn
    requested.add(offset)
    loading.value = true
    try {
      const part = await client.runs.list(
        {
          kind: ExperimentKindName.options.find((option) => option === kind.value),
          state: RunState.options.find((option) => option === state.value),
          search: search.value.trim() || undefined,
          offset,
          limit: CHUNK,
        },
        { signal },
      )
      if (!current()) return
      const next: (RunSummary | undefined)[] = Array.from({ length: part.total }, (_, i) => runs.value[i])
      next.splice(offset, part.runs.length, ...part.runs)
      runs.value = next.slice(0, part.total)
      problems.value = part.problems
      error.value = undefined
    } catch (thrown) {
      if (current()) error.value = reportOf(thrown)
    } finally {
      if (current()) loading.value = false
    }
  }

  /** Fetches the list again from its start; what is in sight stays until the answer is there. */
  async function reload(): Promise<void> {
    turn = latest.begin()
    requested = new Set()
    await load(0)
  }

  /** Fetches the list again whenever a job begins, ends or changes its state; until the signal is aborted. */
  function followJobs(signal: AbortSignal): Promise<void> {
    let states: string | undefined
    return follow(
      (inner) => client.jobs.overview(undefined, { signal: inner }),
      (jobs) => {
        const next = jobs.map(({ run }) => `${run.id} ${run.state}`).join()
        if (states !== undefined && next !== states) void reload()
        states = next
      },
      signal,
    )
  }

  /** Fetches what is missing between two rows. */
  function want(first: number, end: number): void {
    for (let offset = Math.floor(first / CHUNK) * CHUNK; offset < Math.min(end, runs.value.length); offset += CHUNK) {
      if (!requested.has(offset)) void load(offset)
    }
  }

  /** Deletes a run and offers to bring it back. */
  async function remove(run: { id: string; title: string }): Promise<boolean> {
    try {
      await client.runs.remove({ id: run.id })
      runs.value = runs.value.filter((other) => other?.id !== run.id)
      showMessage(`Deleted “${run.title}”`, { label: 'Undo', run: () => void restore(run.id) })
      return true
    } catch (thrown) {
      showError(reportOf(thrown))
      return false
    }
  }

  async function restore(id: string): Promise<void> {
    try {
      await client.runs.restore({ id })
      await reload()
    } catch (thrown) {
      showError(reportOf(thrown))
    }
  }

  watch([search, kind, state], () => {
    runs.value = []
    void reload()
  })

  return { search, kind, state, runs, problems, loading, error, reload, want, followJobs, remove, restore }
})
