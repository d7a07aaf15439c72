/** The contract on the services: every procedure is one call. What is thrown becomes the declared error FAILED. */
import { implement, ORPCError, withEventMeta } from '@orpc/server'
import { contract } from '../../shared/contract/index.ts'
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import type { ErrorReport } from '../../shared/errors.ts'
import type { JobEvent } from '../../shared/jobs.ts'
import type { Services } from '../services/services.ts'
import type { RpcLog } from './handler.ts'
import { relay } from './relay.ts'

/** Every procedure of the contract, implemented; a missing one is an error of the compiler. */
export function createRouter(services: Services, log: RpcLog) {
  const { system, networks, datasets, jobs, runs, presets, live } = services
  const failed = (thrown: unknown, procedure: string): Error => declaredError(thrown, procedure, log)
  const os = implement(contract).use(async ({ next, path }) => {
    try {
      return await next()
    } catch (thrown) {
      throw failed(thrown, path.join('.'))
    }
  })
  /** A stream fails after the middleware has returned: its errors are declared here. */
  async function* stream<T>(
    procedure: string,
    watcher: AbortSignal | undefined,
    open: (signal: AbortSignal) => AsyncIterable<T>,
  ): AsyncGenerator<T, void, void> {
    try {
      yield* relay(open, watcher)
    } catch (thrown) {
      throw failed(thrown, procedure)
    }
  }

  return os.router({
    system: {
      about: os.system.about.handler(() => system.about()),
      status: os.system.status.handler(({ signal }) =>
        stream('system.status', signal, (inner) => system.status({ signal: inner })),
      ),
      doctor: os.system.doctor.handler(({ input }) => system.doctor(input)),
      settings: os.system.settings.handler(() => system.settings()),
      changeSettings: os.system.changeSettings.handler(({ input }) => system.changeSettings(input)),
      restartSession: os.system.restartSession.handler(() => system.restartSession()),
      installEngine: os.system.installEngine.handler(() => system.installEngine()),
    },
    networks: {
      list: os.networks.list.handler(() => networks.list()),
      page: os.networks.page.handler(({ input }) => networks.page(input)),
      weights: os.networks.weights.handler(({ input }) => networks.weights(input)),
      histograms: os.networks.histograms.handler(({ input, signal }) =>
        stream('networks.histograms', signal, (inner) => networks.histograms(input, { signal: inner })),
      ),
      architectures: os.networks.architectures.handler(() => networks.architectures()),
      import: os.networks.import.handler(({ input, signal }) =>
        stream('networks.import', signal, (inner) => networks.import(input, { signal: inner })),
      ),
      classify: os.networks.classify.handler(({ input, signal }) => networks.classify(input, { signal })),
      accuracy: os.networks.accuracy.handler(({ input, signal }) =>
        stream('networks.accuracy', signal, (inner) => networks.accuracy(input, { signal: inner })),
      ),
      examine: os.networks.examine.handler(({ input, signal }) =>
        stream('networks.examine', signal, (inner) => networks.examine(input, { signal: inner })),
      ),
      export: os.networks.export.handler(({ input, signal }) =>
        stream('networks.export', signal, (inner) => networks.export(input, { signal: inner })),
      ),
      change: os.networks.change.handler(({ input }) => networks.change(input)),
      rename: os.networks.rename.handler(({ input }) => networks.rename(input)),
      remove: os.networks.remove.handler(({ input }) => networks.remove(input)),
    },
    datasets: {
      list: os.datasets.list.handler(() => datasets.list()),
      page: os.datasets.page.handler(({ input }) => datasets.page(input)),
      counts: os.datasets.counts.handler(({ input }) => datasets.counts(input)),
      import: os.datasets.import.handler(({ input, signal }) =>
        stream('datasets.import', signal, (inner) => datasets.import(input, { signal: inner })),
      ),
      halve: os.datasets.halve.handler(({ input }) => datasets.halve(input)),
      remove: os.datasets.remove.handler(({ input }) => datasets.remove(input)),
      statistics: os.datasets.statistics.handler(({ input, signal }) => datasets.statistics(input, { signal })),
    },
    jobs: {
      start: os.jobs.start.handler(({ input }) => jobs.start(input)),
      look: os.jobs.look.handler(({ input, signal }) => jobs.look(input, { signal })),
      watch: os.jobs.watch.handler(({ input, signal, lastEventId }) => {
        const afterSeq = sequenceNumber(lastEventId)
        return withIds(stream('jobs.watch', signal, (inner) => jobs.watch(input, { signal: inner, afterSeq })))
      }),
      overview: os.jobs.overview.handler(({ signal }) =>
        stream('jobs.overview', signal, (inner) => jobs.overview({ signal: inner })),
      ),
      cancel: os.jobs.cancel.handler(({ input }) => jobs.cancel(input)),
      pause: os.jobs.pause.handler(({ input }) => jobs.pause(input)),
      resume: os.jobs.resume.handler(({ input }) => jobs.resume(input)),
      adjust: os.jobs.adjust.handler(({ input }) => jobs.adjust(input)),
    },
    runs: {
      list: os.runs.list.handler(({ input }) => runs.list(input)),
      show: os.runs.show.handler(({ input }) => runs.show(input)),
      keep: os.runs.keep.handler(({ input }) => runs.keep(input)),
      history: os.runs.history.handler(({ input }) => runs.history(input)),
      rename: os.runs.rename.handler(({ input }) => runs.rename(input)),
      remove: os.runs.remove.handler(({ input }) => runs.remove(input)),
      restore: os.runs.restore.handler(({ input }) => runs.restore(input)),
      marks: os.runs.marks.handler(({ input }) => runs.marks(input)),
      mark: os.runs.mark.handler(({ input }) => runs.mark(input)),
      export: os.runs.export.handler(({ input }) => runs.export(input)),
    },
    presets: {
      list: os.presets.list.handler(({ input }) => presets.list(input)),
      save: os.presets.save.handler(({ input }) => presets.save(input)),
      remove: os.presets.remove.handler(({ input }) => presets.remove(input)),
    },
    live: { frame: os.live.frame.handler(({ input }) => live.frame(input)) },
  })
}

/** Durable events carry their sequence number as id, which a client gives back to go on after a lost connection. */
async function* withIds(events: AsyncIterable<JobEvent>): AsyncGenerator<JobEvent, void, void> {
  for await (const event of events) {
    yield event.type === 'preview' ? event : withEventMeta(event, { id: String(event.seq) })
  }
}

function sequenceNumber(lastEventId: string | undefined): number {
  if (lastEventId === undefined) return 0
  if (/^\d{1,15}$/.test(lastEventId)) return Number(lastEventId)
  throw new ConvScopeError('invalid-input', `"${lastEventId.slice(0, 40)}" is not the id of an event`, {
    remedy: 'Reload the page.',
  })
}

function declaredError(thrown: unknown, procedure: string, log: RpcLog): Error {
  if (thrown instanceof ORPCError) return thrown
  const report: ErrorReport = toErrorReport(thrown)
  if (!(thrown instanceof ConvScopeError)) log.error(`${procedure} failed by a defect`, { error: thrown })
  return new ORPCError('FAILED', { message: report.message, data: report, cause: thrown })
}
