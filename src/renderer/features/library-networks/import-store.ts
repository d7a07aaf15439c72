import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Progress } from '../../../shared/contract/progress.ts'
import type { ErrorReport } from '../../../shared/errors.ts'
import { suggestNetworkName } from '../../../shared/network/describe.ts'
import type { ArchitectureSummary } from '../../../shared/network/page.ts'
import { LibraryName } from '../../../shared/values.ts'
import { Latest } from '../../lib/latest.ts'
import { reportOf } from '../../lib/report.ts'
import { FileSender, pathOf, type Sending } from '../../rpc/sender.ts'
import { useClient } from '../../rpc/use-client.ts'
import { useNetworks } from './store.ts'

export type ImportState =
  | { readonly kind: 'choosing' }
  | Sending
  | { readonly kind: 'reading'; readonly progress: Progress | undefined }
  | { readonly kind: 'failed'; readonly error: ErrorReport }

/** Chosen where the files themselves tell the layers; no name of a network can be this. */
export const IN_FILES = '-'

/** Which file of several gives the network its name: not a description or a mean beside the weights. */
const SECOND_RATE = /\.(prototxt|json|txt|npy|binaryproto|bin)$/i

/** The import under way; it goes on when its page is left. */
export const useNetworkImport = defineStore('network-import', () => {
  const client = useClient()
  const networks = useNetworks()
  const files = shallowRef<readonly File[]>([])
  const name = ref('')
  /** What was suggested last: another suggestion only takes its place, never what was typed. */
  let suggested = ''
  const architecture = ref(IN_FILES)
  const state = shallowRef<ImportState>({ kind: 'choosing' })
  const architectures = shallowRef<readonly ArchitectureSummary[]>([])
  const sender = new FileSender()
  const latest = new Latest()

  const isBusy = computed(() => state.value.kind === 'sending' || state.value.kind === 'reading')
  /** Why it cannot be imported under this name. */
  const nameProblem = computed(() => {
    if (name.value === '') return undefined
    const parsed = LibraryName.safeParse(name.value)
    if (!parsed.success) return `A name has ${parsed.error.issues[0]?.message ?? 'another form'}.`
    const taken = networks.networks?.some((network) => network.name.toLowerCase() === name.value.toLowerCase())
    return taken ? `The library already has a network “${name.value}”.` : undefined
  })

  /** Begins anew with these files. */
  function choose(chosen: readonly File[]): void {
    if (isBusy.value) return
    files.value = chosen
    state.value = { kind: 'choosing' }
    const main = chosen.find((file) => !SECOND_RATE.test(file.name)) ?? chosen[0]
    if (main && (name.value === '' || name.value === suggested)) {
      const folder = main.webkitRelativePath.split('/')[0]
      suggested = suggestNetworkName(SECOND_RATE.test(main.name) && folder ? folder : main.name)
      name.value = suggested
    }
  }

  function add(more: readonly File[]): void {
    const known = new Set(more.map(pathOf))
    choose([...files.value.filter((file) => !known.has(pathOf(file))), ...more])
  }

  function leaveOut(file: File): void {
    choose(files.value.filter((candidate) => candidate !== file))
  }

  /** Resolves with the name of the imported network; undefined where it failed (see the state) or was cancelled. */
  async function start(): Promise<string | undefined> {
    const turn = latest.begin()
    try {
      const sent = await sender.send(files.value, {
        signal: turn.signal,
        onProgress: (sending) => {
          if (turn.current()) state.value = sending
        },
      })
      state.value = { kind: 'reading', progress: undefined }
      const request = {
        files: sent,
        name: name.value,
        architecture: architecture.value === IN_FILES ? undefined : architecture.value,
      }
      for await (const event of await client.networks.import(request, { signal: turn.signal })) {
        if (!turn.current()) return undefined
        if (event.type === 'progress') state.value = { kind: 'reading', progress: event }
        else return await finish(event.result.name)
      }
    } catch (error) {
      if (turn.current()) state.value = { kind: 'failed', error: reportOf(error) }
    }
    return undefined
  }

  async function finish(imported: string): Promise<string> {
    reset()
    await networks.reload()
    return imported
  }

  function cancel(): void {
    latest.cancel()
    state.value = { kind: 'choosing' }
  }

  function reset(): void {
    files.value = []
    name.value = ''
    suggested = ''
    architecture.value = IN_FILES
    sender.forget()
    state.value = { kind: 'choosing' }
  }

  async function loadArchitectures(): Promise<void> {
    if (architectures.value.length > 0) return
    try {
      architectures.value = await client.networks.architectures()
    } catch (error) {
      state.value = { kind: 'failed', error: reportOf(error) }
    }
  }

  return {
    ...{ files, name, architecture, architectures, state, isBusy, nameProblem },
    ...{ choose, add, leaveOut, start, cancel, reset, loadArchitectures },
  }
})
