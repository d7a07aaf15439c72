/** Everything that a training needs to go on: weights, the optimiser's state and what the epochs so far have measured. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import { EpochRecord } from '../../shared/experiments/train-classifier.ts'
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from '../network/safetensors.ts'

/** Values of named tensors outside the engine. */
export type HostTensors = Record<string, SafeTensor>

export interface PretrainingState {
  /** Finished ones. */
  readonly epochs: number
  /** Of the autoencoder. */
  readonly weights: HostTensors
  readonly optimiser: HostTensors
}

export interface TrainingCheckpoint {
  /** Float32 by `<layer>/<parameter>`. */
  readonly weights: HostTensors
  /** Named by the optimiser, which alone reads them. */
  readonly optimiser: HostTensors
  /** One for each finished epoch. Random numbers need no state: they depend on seed, epoch and step alone. */
  readonly records: EpochRecord[]
  /** The weights with the smallest test error so far, where the training looks for them. */
  readonly best?: HostTensors | undefined
  /** While the first layer is learned: how far that is. */
  readonly pretraining?: PretrainingState | undefined
  /** Weights by epoch. A run that was cut off has lost the outputs that it had written. */
  readonly snapshots: ReadonlyMap<number, HostTensors>
}

const SOURCE = 'The checkpoint of the training'
const RECORDS = 'epochs'
const SNAPSHOT = 'snapshot-'
const PRETRAINING = 'pretraining'
const PRETRAINING_OPTIMISER = 'pretraining-optimiser'
const PRETRAINING_EPOCHS = 'pretraining-epochs'

/** A safetensors file; `readCheckpoint` gives back the same tensors bit for bit. */
export function writeCheckpoint(checkpoint: TrainingCheckpoint): Uint8Array {
  const { weights, optimiser, records, best = {}, pretraining, snapshots } = checkpoint
  const tensors: HostTensors = {}
  const groups = {
    weights,
    optimiser,
    best,
    [PRETRAINING]: pretraining?.weights ?? {},
    [PRETRAINING_OPTIMISER]: pretraining?.optimiser ?? {},
    ...Object.fromEntries([...snapshots].map(([epoch, kept]) => [`${SNAPSHOT}${epoch}`, kept])),
  }
  for (const [group, members] of Object.entries(groups)) {
    for (const [name, tensor] of Object.entries(members)) tensors[`${group}:${name}`] = tensor
  }
  const data = new TextEncoder().encode(JSON.stringify(records))
  tensors[RECORDS] = { dtype: 'U8', shape: [data.length], data }
  if (pretraining) tensors[PRETRAINING_EPOCHS] = { dtype: 'I32', shape: [1], data: Int32Array.of(pretraining.epochs) }
  return encodeSafetensors(tensors)
}

/** @throws ConvScopeError 'damaged' */
export function readCheckpoint(bytes: Uint8Array): TrainingCheckpoint {
  const file = decodeSafetensors(bytes, SOURCE)
  const records = readRecords(file.get(RECORDS))
  const group = (prefix: string): HostTensors =>
    Object.fromEntries(
      [...file]
        .filter(([name]) => name.startsWith(`${prefix}:`))
        .map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]),
    )
  const best = group('best')
  const pretrained = file.get(PRETRAINING_EPOCHS)?.data[0]
  const kept = new Set(
    [...file.keys()].map((name) => name.split(':')[0] ?? '').filter((name) => name.startsWith(SNAPSHOT)),
  )
  return {
    weights: group('weights'),
    optimiser: group('optimiser'),
    records,
    best: Object.keys(best).length > 0 ? best : undefined,
    ...(pretrained !== undefined && {
      pretraining: { epochs: pretrained, weights: group(PRETRAINING), optimiser: group(PRETRAINING_OPTIMISER) },
    }),
    snapshots: new Map([...kept].map((name) => [Number(name.slice(SNAPSHOT.length)), group(name)])),
  }
}

function readRecords(tensor: SafeTensor | undefined): EpochRecord[] {
  try {
    return z.array(EpochRecord).parse(JSON.parse(new TextDecoder().decode(tensor?.data)))
  } catch (cause) {
    throw new ConvScopeError('damaged', `${SOURCE} has no readable list of epochs`, {
      remedy: 'Start the training again.',
      cause,
    })
  }
}
