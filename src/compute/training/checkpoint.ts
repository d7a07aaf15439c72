/** Everything that a training needs to go on: weights, moments and what the epochs so far have measured. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import { EpochRecord } from '../../shared/experiments/train-classifier.ts'
import type { Tfjs } from '../engines/engine.ts'
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from '../network/safetensors.ts'
import type { OptimiserState, Tensors } from './optimiser.ts'
import { downloadTensors, uploadTensors } from './tensor-file.ts'

export interface TrainingCheckpoint {
  readonly weights: Tensors
  readonly state: OptimiserState
  /** One for each finished epoch. Random numbers need no state: they depend on seed, epoch and step alone. */
  readonly records: EpochRecord[]
}

const SOURCE = 'The checkpoint of the training'
const RECORDS = 'epochs'

/** A safetensors file; `readCheckpoint` gives back the same tensors bit for bit. */
export async function writeCheckpoint({ weights, state, records }: TrainingCheckpoint): Promise<Uint8Array> {
  const groups = { weights, first: state.first, second: state.second }
  const tensors: Record<string, SafeTensor> = {}
  for (const [group, members] of Object.entries(groups)) {
    for (const [name, tensor] of Object.entries(await downloadTensors(members))) tensors[`${group}:${name}`] = tensor
  }
  const data = new TextEncoder().encode(JSON.stringify(records))
  tensors[RECORDS] = { dtype: 'U8', shape: [data.length], data }
  return encodeSafetensors(tensors)
}

/** @throws ConvScopeError 'damaged' */
export function readCheckpoint(tf: Tfjs, bytes: Uint8Array): TrainingCheckpoint {
  const file = decodeSafetensors(bytes, SOURCE)
  const records = readRecords(file.get(RECORDS))
  const group = (prefix: string): Tensors =>
    uploadTensors(
      tf,
      [...file]
        .filter(([name]) => name.startsWith(`${prefix}:`))
        .map(([name, tensor]) => [name.slice(prefix.length + 1), tensor]),
    )
  return { weights: group('weights'), state: { first: group('first'), second: group('second') }, records }
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
