/** The networks of several epochs: from a training made for it, from weights that a run has kept, or from the library. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Snapshots } from '../../shared/experiments/feature-evolution.ts'
import { snapshotOutput, type TrainClassifierParams } from '../../shared/experiments/train-classifier.ts'
import { NetworkSpec } from '../../shared/network/spec.ts'
import type { ExperimentContext, ExperimentEvent } from '../experiments/experiment.ts'
import { trainClassifier } from '../experiments/train-classifier.ts'
import { Network } from '../network/network.ts'
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from '../network/safetensors.ts'

export interface Snapshot {
  readonly epoch: number
  /** `release` gives back what was loaded for it. */
  load(): Promise<{ network: Network; release: () => void }>
}

const SOURCE = 'The checkpoint of the feature evolution'

/** In the order of the epochs. @throws ConvScopeError 'invalid-input' where there is none */
export async function* snapshotsOf(
  snapshots: Snapshots,
  context: ExperimentContext,
): AsyncGenerator<ExperimentEvent, Snapshot[], void> {
  const { tf } = context.engine
  const loaded = (spec: NetworkSpec, bytes: Uint8Array) => {
    const network = Network.load(tf, spec, bytes)
    return { network, release: () => network.dispose() }
  }
  if (snapshots.from === 'training') {
    const { spec, weights } = yield* trained(snapshots.training, context)
    return inOrder([...weights].map(([epoch, bytes]) => ({ epoch, load: () => Promise.resolve(loaded(spec, bytes)) })))
  }
  if (snapshots.from === 'networks') {
    return inOrder(
      snapshots.networks.map(({ epoch, network: name }) => ({
        epoch,
        load: async () => ({ network: (await context.network(name)).network, release: () => undefined }),
      })),
    )
  }
  const spec = snapshots.from === 'run' ? snapshots.spec : (await context.network(snapshots.network)).record.spec
  const { weights } = snapshots
  if (spec === undefined || weights === undefined) {
    throw new ConvScopeError('invalid-input', 'The document names a training run, but not its weights', {
      remedy: 'Start it in the project that holds the run.',
    })
  }
  return inOrder(
    weights.map(({ epoch, sha256 }) => ({ epoch, load: async () => loaded(spec, await context.artifact(sha256)) })),
  )
}

function inOrder(snapshots: Snapshot[]): Snapshot[] {
  return snapshots.sort((a, b) => a.epoch - b.epoch)
}

/** Trains, and keeps the snapshots instead of writing them. A checkpoint holds those so far beside the training's own. */
async function* trained(
  params: TrainClassifierParams,
  context: ExperimentContext,
): AsyncGenerator<ExperimentEvent, { spec: NetworkSpec; weights: Map<number, Uint8Array> }, void> {
  if (params.snapshots.length === 0) {
    throw new ConvScopeError('invalid-input', 'The training of the feature evolution keeps no snapshots', {
      remedy: 'List epochs in `snapshots.training.snapshots`, such as [1, 2, 5, 10].',
    })
  }
  const saved = context.checkpoint && readCheckpoint(context.checkpoint)
  const weights = saved?.weights ?? new Map<number, Uint8Array>()
  const epochs = new Map(params.snapshots.map((epoch) => [snapshotOutput(epoch), epoch]))
  let spec = saved?.spec
  const training = trainClassifier(params, {
    ...inputsOf(context),
    checkpoint: saved?.training,
    pictures: false,
    outputArray: () => Promise.resolve(),
    outputPicture: () => Promise.resolve(),
    outputTable: () => Promise.resolve(),
    outputWeights: (name, bytes) => {
      const epoch = epochs.get(name)
      if (epoch !== undefined) weights.set(epoch, bytes)
      return Promise.resolve()
    },
    outputJson: (name, value) => {
      if (name === 'spec') spec = NetworkSpec.parse(value)
      return Promise.resolve()
    },
  })
  try {
    let step = await training.next()
    while (!step.done) {
      const event = step.value
      yield event.type === 'checkpoint' ? { ...event, bytes: writeCheckpoint(event.bytes, spec, weights) } : event
      step = await training.next()
    }
  } finally {
    await training.return(undefined as never)
  }
  if (spec === undefined) throw new RangeError('the training wrote no specification of its network')
  if (weights.size > 0) return { spec, weights }
  throw new ConvScopeError('invalid-input', `The training ends before epoch ${Math.min(...params.snapshots)}`, {
    remedy: 'List epochs up to the last one of the training.',
  })
}

/** What the context gives, with `this` kept. */
function inputsOf(
  context: ExperimentContext,
): Pick<
  ExperimentContext,
  'engine' | 'seed' | 'signal' | 'network' | 'dataset' | 'artifact' | 'cache' | 'takeAdjustments' | 'onPause'
> {
  const { engine, seed, signal, cache } = context
  return {
    engine,
    seed,
    signal,
    cache,
    network: (name) => context.network(name),
    dataset: (name, split) => context.dataset(name, split),
    artifact: (sha256) => context.artifact(sha256),
    takeAdjustments: () => [],
    onPause: () => undefined,
  }
}

const Head = z.object({ spec: NetworkSpec.optional(), epochs: z.array(z.number().int()) })

function writeCheckpoint(
  training: Uint8Array,
  spec: NetworkSpec | undefined,
  weights: ReadonlyMap<number, Uint8Array>,
): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify({ spec, epochs: [...weights.keys()] }))
  const bytes = (data: Uint8Array): SafeTensor => ({ dtype: 'U8', shape: [data.length], data })
  return encodeSafetensors({
    head: bytes(head),
    training: bytes(training),
    ...Object.fromEntries([...weights].map(([epoch, data]) => [snapshotOutput(epoch), bytes(data)])),
  })
}

function readCheckpoint(file: Uint8Array): {
  training: Uint8Array
  spec: NetworkSpec | undefined
  weights: Map<number, Uint8Array>
} {
  const tensors = decodeSafetensors(file, SOURCE)
  const bytes = (name: string): Uint8Array => {
    const data = tensors.get(name)?.data
    if (data instanceof Uint8Array) return data
    throw new ConvScopeError('damaged', `${SOURCE} has no part ${name}`, { remedy: 'Start it again.' })
  }
  const { spec, epochs } = Head.parse(JSON.parse(new TextDecoder().decode(bytes('head'))))
  const weights = new Map(epochs.map((epoch) => [epoch, bytes(snapshotOutput(epoch))]))
  return { training: bytes('training'), spec, weights }
}
