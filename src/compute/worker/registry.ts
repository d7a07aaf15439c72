/** The product's engines, experiments, networks and data sets for the engine thread. */
import { ConvScopeError } from '../../shared/errors.ts'
import { parseDocument, type ExperimentDocument } from '../../shared/experiments/index.ts'
import { loadDatasetSplit } from '../data/dataset-split.ts'
import { startEngine } from '../engines/index.ts'
import type { Experiment } from '../experiments/experiment.ts'
import { experiments } from '../experiments/index.ts'
import { Network } from '../network/network.ts'
import { outputEncoders } from './encode-outputs.ts'
import { workerMethods } from './methods.ts'
import { EngineStartError, type PreparedExperiment, type StartMessage, type WorkerRegistry } from './worker-registry.ts'

export function productRegistry(): WorkerRegistry {
  let started: StartMessage | undefined
  return {
    startEngine: async (message) => {
      started = message
      const { engine: wish, threads, cacheFolder } = message
      if (wish === 'none') return { engine: undefined, reports: [] }
      try {
        return await startEngine(wish, { threads, cacheFolder })
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new EngineStartError(error, wish === 'auto' ? [] : [{ name: wish, state: 'failed', reason }])
      }
    },
    prepare: (document) => prepared(parseDocument(document)),
    loadNetwork: async (record, read, engine) => {
      const weights = await read(record.weights)
      const network = Network.load(engine.tf, record.spec, weights)
      return { value: network, bytes: weights.length, dispose: () => network.dispose() }
    },
    loadDataset: async (record, split, files) => {
      const value = await loadDatasetSplit(record, split, files)
      return { value, bytes: value.residentBytes }
    },
    encode: outputEncoders,
    methods: workerMethods(() => {
      if (!started) throw new ConvScopeError('conflict', 'The session has not been started')
      return started
    }),
  }
}

function prepared({ kind, params, seed }: ExperimentDocument): PreparedExperiment {
  // The table pairs every kind with its own parameters, which the document's schema has checked.
  const experiment = experiments[kind] as Experiment<unknown, unknown>
  return { seed, run: (context) => experiment(params, context) }
}
