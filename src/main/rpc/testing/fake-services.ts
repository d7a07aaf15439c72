/** Services that remember what they were asked, for tests of router, transports and shells. */
import { ConvScopeError } from '../../../shared/errors.ts'
import type { DeconvnetResult } from '../../../shared/experiments/deconvnet.ts'
import type { JobEvent } from '../../../shared/jobs.ts'
import type { Look, RunRecord } from '../../../shared/runs.ts'
import type { SessionStatus } from '../../../shared/session.ts'
import type { Services } from '../../services/services.ts'

const hash = (digit: string): string => digit.repeat(64)
const AT = 1_760_000_000_000

export const SAMPLE_SESSION: SessionStatus = { state: 'ready', engines: [], residentBytes: 1e8, tensors: 12 }

export const SAMPLE_NETWORK = {
  name: 'mnist-convnet',
  title: 'MNIST convnet',
  weights: hash('a'),
  source: 'built-in' as const,
  hash: hash('b'),
  addedAt: AT,
}

const identity = {
  name: 'cpu' as const,
  version: 'tfjs 4.22.0',
  device: 'test',
  threads: 1,
  kernels: 'stock',
  deterministic: true,
}

const provenance = {
  program: 'ConvScope test',
  documentHash: hash('c'),
  networks: { 'mnist-convnet': hash('b') },
  datasets: {},
  engine: identity,
  platform: 'test',
  startedAt: AT,
  finishedAt: AT + 5,
}

const SAMPLE_RESULT: DeconvnetResult = {
  network: 'mnist-convnet',
  layer: 'conv1',
  toLayer: 'input',
  layerShape: [24, 24, 32],
  units: [],
  channels: [],
  prediction: [],
  label: null,
  computeMs: 1,
}

export const SAMPLE_LOOK: Look = {
  documentHash: hash('c'),
  document: { kind: 'deconvnet' },
  result: { units: 3 },
  outputs: [
    { name: 'projections', kind: 'array', sha256: hash('d'), bytes: 128, shape: [2, 4, 4, 1], dtype: 'float32' },
  ],
  provenance,
  cached: false,
}

export const SAMPLE_RUN: RunRecord = {
  id: 'run-1',
  kind: 'deconvnet',
  title: 'A digit',
  document: { kind: 'deconvnet' },
  documentHash: hash('c'),
  state: 'done',
  outputs: [],
  provenance,
  createdAt: AT,
}

export const stepEvent = (seq: number): JobEvent => ({
  type: 'step',
  seq,
  at: AT + seq,
  done: seq,
  total: 100,
  unit: 'steps',
  values: { loss: 1 / seq },
})

export const previewEvent = (bytes: number): JobEvent => ({
  type: 'preview',
  name: 'picture',
  width: bytes / 4,
  height: 1,
  channels: 4,
  pixels: new Uint8Array(bytes).fill(7),
})

/** Every stream that was opened: what it was opened with, and whether its source was told to end. */
export interface WatchRecord {
  id: string
  afterSeq: number
  ended: boolean
}

export interface FakeServices extends Services {
  readonly calls: { procedure: string; input: unknown }[]
  readonly watches: WatchRecord[]
  /** Events of `jobs.watch` for an id; `endless-…` ids wait for the signal after the last event. */
  readonly events: Map<string, Iterable<JobEvent>>
}

export function createFakeServices(): FakeServices {
  const calls: { procedure: string; input: unknown }[] = []
  const watches: WatchRecord[] = []
  const events = new Map<string, Iterable<JobEvent>>()
  const note = (procedure: string, input?: unknown): void => void calls.push({ procedure, input })

  async function* watch(id: string, afterSeq: number, signal: AbortSignal | undefined): AsyncGenerator<JobEvent> {
    const known = events.get(id)
    if (!known) throw new ConvScopeError('not-found', `There is no run "${id}"`, { remedy: 'Choose another run.' })
    const entry = { id, afterSeq, ended: false }
    watches.push(entry)
    try {
      for (const event of known) {
        if (signal?.aborted) return
        if (event.type === 'preview' || event.seq > afterSeq) yield event
      }
      if (id.startsWith('endless')) await aborted(signal)
    } finally {
      entry.ended = true
    }
  }

  return {
    calls,
    watches,
    events,
    system: {
      about: async () => ({ program: 'ConvScope test', project: { name: 'p', folder: '/p' }, shell: 'page' }),
      async *status(options) {
        yield { session: SAMPLE_SESSION, nativeEngine: { state: 'installed' }, mainResidentBytes: 1 }
        await aborted(options?.signal)
      },
      doctor: async (input) => {
        note('system.doctor', input)
        throw new TypeError('the doctor fell over')
      },
      settings: async () => ({ engine: 'auto', theme: 'system' }),
      changeSettings: async (change) => {
        note('system.changeSettings', change)
        return { engine: 'auto', theme: 'dark', ...change }
      },
      restartSession: async () => note('system.restartSession'),
      installEngine: async () => note('system.installEngine'),
    },
    networks: {
      list: async () => [SAMPLE_NETWORK],
      page: async ({ name }) => {
        throw new ConvScopeError('not-found', `There is no network "${name}"`, {
          remedy: 'Import it in the Library.',
          details: 'looked in 3 places',
        })
      },
      weights: async () => [{ parameter: 'bias', shape: [3], values: Uint8Array.of(0, 127, 255) }],
      async *histograms() {
        yield { type: 'done', result: [] }
      },
      architectures: async () => [],
      async *import(input, options) {
        note('networks.import', input)
        yield { type: 'progress', done: 1, total: 100, unit: '%' }
        if (input.name.startsWith('endless')) {
          await aborted(options?.signal)
          note('networks.import aborted')
        }
        yield { type: 'done', result: SAMPLE_NETWORK }
      },
      classify: async ({ name }) => {
        throw new ConvScopeError('not-found', `There is no network "${name}"`)
      },
      async *accuracy() {
        yield { type: 'progress', done: 1, total: 2, unit: 'pictures' }
      },
      async *examine() {
        yield { type: 'done', result: { findings: [], pipelines: [] } }
      },
      async *export({ name }) {
        yield { type: 'done', result: { sha256: hash('e'), fileName: `${name}.zip` } }
      },
      change: async (input) => {
        note('networks.change', input)
        return SAMPLE_NETWORK
      },
      rename: async (input) => note('networks.rename', input),
      remove: async (input) => note('networks.remove', input),
    },
    datasets: {
      list: async () => [],
      page: async (input) => {
        note('datasets.page', input)
        const size = input.count * 28 * 28
        const images = Uint8Array.from({ length: size }, (_, index) => index % 251)
        return { total: 60_000, indices: [1], labels: [2], shape: [28, 28, 1], images }
      },
      counts: async () => [5, 6],
      async *import(input, options) {
        note('datasets.import', input)
        yield { type: 'progress', done: 1, total: 2, unit: 'pictures' }
        await aborted(options?.signal)
        note('datasets.import aborted')
      },
      halve: async ({ name }) => {
        throw new ConvScopeError('not-found', `There is no data set "${name}"`)
      },
      remove: async (input) => note('datasets.remove', input),
      statistics: async ({ name }) => {
        throw new ConvScopeError('not-found', `There is no data set "${name}"`)
      },
    },
    jobs: {
      start: async (input) => {
        note('jobs.start', input)
        return { id: 'run-1' }
      },
      look: async ({ document }, options) => {
        if (document !== 'endless') return SAMPLE_LOOK
        note('jobs.look')
        await aborted(options?.signal)
        note('jobs.look aborted')
        throw new ConvScopeError('cancelled', 'This look is no longer wanted')
      },
      watch: ({ id }, options) => watch(id, options?.afterSeq ?? 0, options?.signal),
      async *overview(options) {
        yield [{ run: SAMPLE_RUN }]
        await aborted(options?.signal)
      },
      cancel: async (input) => note('jobs.cancel', input),
      pause: async (input) => note('jobs.pause', input),
      resume: async (input) => note('jobs.resume', input),
      adjust: async (input) => note('jobs.adjust', input),
    },
    runs: {
      list: async (input) => {
        note('runs.list', input)
        return { total: 1, runs: [SAMPLE_RUN], problems: [] }
      },
      show: async () => SAMPLE_RUN,
      keep: async () => ({ id: 'run-2' }),
      history: async () => [{ ...SAMPLE_LOOK, usedAt: AT }],
      rename: async (input) => note('runs.rename', input),
      remove: async (input) => note('runs.remove', input),
      restore: async (input) => note('runs.restore', input),
      marks: async () => ({ 1: 'star' }),
      mark: async (input) => note('runs.mark', input),
      export: async () => ({ sha256: hash('e'), fileName: 'run-1.zip', damaged: [] }),
    },
    presets: {
      list: async () => [],
      save: async (input) => note('presets.save', input),
      remove: async (input) => note('presets.remove', input),
    },
    live: {
      frame: async ({ frame }) => {
        if (!('pixels' in frame)) throw new ConvScopeError('not-found', 'There is no such picture')
        return {
          result: SAMPLE_RESULT,
          projections: frame.pixels,
          activations: Uint8Array.of(1),
          input: Uint8Array.of(),
        }
      },
    },
  }
}

async function aborted(signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal?.aborted) resolve()
    signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}
