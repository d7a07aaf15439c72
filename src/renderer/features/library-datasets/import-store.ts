import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { DatasetImportResult } from '../../../shared/contract/datasets.ts'
import type { Progress } from '../../../shared/contract/progress.ts'
import { suggestDatasetName } from '../../../shared/datasets.ts'
import { ConvScopeError, type ErrorReport } from '../../../shared/errors.ts'
import { LibraryName } from '../../../shared/values.ts'
import { Latest } from '../../lib/latest.ts'
import { reportOf } from '../../lib/report.ts'
import { FileSender, pathOf, type Sending } from '../../rpc/sender.ts'
import { useClient } from '../../rpc/use-client.ts'
import { useDatasets } from './store.ts'

export type DatasetImportState =
  | { readonly kind: 'choosing' }
  | Sending
  | { readonly kind: 'reading'; readonly progress: Progress | undefined }
  | { readonly kind: 'failed'; readonly error: ErrorReport }
  | { readonly kind: 'done'; readonly result: DatasetImportResult }

/** Files that are sent one by one: more of them are better packed, or read where they are. */
export const MAXIMUM_FILES = 1000
const DATA =
  /(\.(jpe?g|png|webp|tiff?|gif|tar|tgz|pkl)|\.tar\.gz|(^|[-.])idx\d?([-.].*)?|ubyte(\.gz)?|data_batch_\d(\.bin)?)$/i

/** Whether dropped files are rather pictures than a network. */
export function looksLikeData(files: readonly { readonly name: string }[]): boolean {
  return files.length > 0 && files.every(({ name }) => DATA.test(name))
}

/** The import under way; it goes on when its page is left. */
export const useDatasetImport = defineStore('dataset-import', () => {
  const client = useClient()
  const datasets = useDatasets()
  const files = shallowRef<readonly File[]>([])
  /** A folder or archive on the machine where the program runs, instead of files that are sent. */
  const path = ref('')
  const inPlace = ref(false)
  const name = ref('')
  /** What was suggested last: another suggestion only takes its place, never what was typed. */
  let suggested = ''
  const state = shallowRef<DatasetImportState>({ kind: 'choosing' })
  const sender = new FileSender()
  const latest = new Latest()

  const isBusy = computed(() => state.value.kind === 'sending' || state.value.kind === 'reading')
  const isReady = computed(
    () => (files.value.length > 0 || path.value.trim() !== '') && name.value !== '' && nameProblem.value === undefined,
  )
  /** Why it cannot be imported under this name. */
  const nameProblem = computed(() => {
    if (name.value === '') return undefined
    const parsed = LibraryName.safeParse(name.value)
    if (!parsed.success) return `A name has ${parsed.error.issues[0]?.message ?? 'another form'}.`
    const taken = datasets.datasets?.some((dataset) => dataset.name.toLowerCase() === name.value.toLowerCase())
    return taken ? `The library already has a data set “${name.value}”.` : undefined
  })

  function suggest(from: string | undefined): void {
    if (from === undefined || from === '' || (name.value !== '' && name.value !== suggested)) return
    suggested = suggestDatasetName(from)
    name.value = suggested
  }

  function add(more: readonly File[]): void {
    if (isBusy.value) return
    const known = new Set(more.map(pathOf))
    files.value = [...files.value.filter((file) => !known.has(pathOf(file))), ...more]
    path.value = ''
    inPlace.value = false
    state.value = { kind: 'choosing' }
    const [first] = files.value
    suggest(first && pathOf(first).split('/')[0])
  }

  function leaveOut(file: File): void {
    files.value = files.value.filter((candidate) => candidate !== file)
  }

  function choosePath(given: string): void {
    path.value = given
    if (given !== '') files.value = []
    state.value = { kind: 'choosing' }
    suggest(given.split(/[\\/]/).findLast((part) => part !== ''))
  }

  /** Resolves with the name of what was imported; undefined where it failed (see the state) or was cancelled. */
  async function start(): Promise<string | undefined> {
    const turn = latest.begin()
    try {
      if (files.value.length > MAXIMUM_FILES) throw tooMany(files.value.length)
      const onProgress = (sending: Sending): void => {
        if (turn.current()) state.value = sending
      }
      const given =
        path.value.trim() === ''
          ? await sender.send(files.value, { signal: turn.signal, onProgress })
          : [{ path: path.value.trim() }]
      state.value = { kind: 'reading', progress: undefined }
      const request = { files: given, name: name.value, inPlace: inPlace.value }
      for await (const event of await client.datasets.import(request, { signal: turn.signal })) {
        if (!turn.current()) return undefined
        if (event.type === 'progress') state.value = { kind: 'reading', progress: event }
        else return await finish(event.result)
      }
    } catch (error) {
      if (turn.current()) state.value = { kind: 'failed', error: reportOf(error) }
    }
    return undefined
  }

  async function finish(result: DatasetImportResult): Promise<string> {
    reset()
    // Files that were left out are told before anything else is shown.
    if (result.refused.length > 0) state.value = { kind: 'done', result }
    await datasets.reload()
    return result.record.name
  }

  function cancel(): void {
    latest.cancel()
    state.value = { kind: 'choosing' }
  }

  function reset(): void {
    files.value = []
    path.value = ''
    inPlace.value = false
    name.value = ''
    suggested = ''
    sender.forget()
    state.value = { kind: 'choosing' }
  }

  return {
    ...{ files, path, inPlace, name, state, isBusy, isReady, nameProblem },
    ...{ add, leaveOut, choosePath, start, cancel, reset },
  }
})

function tooMany(count: number): ConvScopeError {
  return new ConvScopeError('too-large', `${count} files are more than can be sent one by one (${MAXIMUM_FILES})`, {
    remedy: 'Pack them into one .zip, or give the path of their folder.',
  })
}
