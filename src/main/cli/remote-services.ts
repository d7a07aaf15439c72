/** The use cases of another process, called through the contract. */
import type { ContractClient } from '../rpc/client.ts'
import type { Services } from '../services/services.ts'

export function remoteServices({ system, networks, datasets, jobs, runs, presets, live }: ContractClient): Services {
  return {
    system: {
      about: () => system.about(),
      status: (options) => stream(() => system.status(undefined, { signal: options?.signal })),
      doctor: (input) => system.doctor(input),
      settings: () => system.settings(),
      changeSettings: (change) => system.changeSettings(change),
      restartSession: () => system.restartSession(),
      installEngine: () => system.installEngine(),
    },
    networks: {
      list: () => networks.list(),
      page: (input) => networks.page(input),
      weights: (input) => networks.weights(input),
      histograms: (input, options) => stream(() => networks.histograms(input, { signal: options?.signal })),
      architectures: () => networks.architectures(),
      import: (input, options) => stream(() => networks.import(input, { signal: options?.signal })),
      classify: (input, options) => networks.classify(input, { signal: options?.signal }),
      accuracy: (input, options) => stream(() => networks.accuracy(input, { signal: options?.signal })),
      examine: (input, options) => stream(() => networks.examine(input, { signal: options?.signal })),
      export: (input, options) => stream(() => networks.export(input, { signal: options?.signal })),
      change: (input) => networks.change(input),
      rename: (input) => networks.rename(input),
      remove: (input) => networks.remove(input),
    },
    datasets: {
      list: () => datasets.list(),
      page: (input) => datasets.page(input),
      counts: (input) => datasets.counts(input),
      import: (input, options) => stream(() => datasets.import(input, { signal: options?.signal })),
      halve: (input) => datasets.halve(input),
      remove: (input) => datasets.remove(input),
      statistics: (input, options) => datasets.statistics(input, { signal: options?.signal }),
    },
    jobs: {
      start: (input) => jobs.start(input),
      look: (input, options) => jobs.look(input, { signal: options?.signal }),
      watch: (input, options) =>
        stream(() => jobs.watch(input, { signal: options?.signal, lastEventId: String(options?.afterSeq ?? 0) })),
      overview: (options) => stream(() => jobs.overview(undefined, { signal: options?.signal })),
      cancel: (input) => jobs.cancel(input),
      pause: (input) => jobs.pause(input),
      resume: (input) => jobs.resume(input),
      adjust: (input) => jobs.adjust(input),
    },
    runs: {
      list: (query) => runs.list(query),
      show: (input) => runs.show(input),
      keep: (input) => runs.keep(input),
      history: (input) => runs.history(input),
      rename: (input) => runs.rename(input),
      remove: (input) => runs.remove(input),
      restore: (input) => runs.restore(input),
      marks: (input) => runs.marks(input),
      mark: (input) => runs.mark(input),
      export: (input) => runs.export(input),
    },
    presets: {
      list: (input) => presets.list(input),
      save: (input) => presets.save(input),
      remove: (input) => presets.remove(input),
    },
    live: { frame: (input) => live.frame(input) },
  }
}

async function* stream<T>(open: () => Promise<AsyncIterable<T>>): AsyncGenerator<T, void, void> {
  yield* await open()
}
