/** What an activation maximisation has gathered so far: one entry an item, in the order of the plan. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import { LiveChange, TRACE_QUANTITIES } from '../../shared/experiments/activation-maximisation.ts'
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from '../network/safetensors.ts'
import type { AscentValues } from './ascent.ts'

/** Traces hold at most so many floats (16 MB); otherwise every n-th iteration is kept. */
const MOST_TRACE_FLOATS = 4 * 1024 * 1024
const SOURCE = 'The checkpoint of the activation maximisation'

const Progress = z.object({ batch: z.number(), step: z.number(), seconds: z.number(), changes: z.array(LiveChange) })
/** `step`: iterations done in batch number `batch`. `seconds`: computed so far. */
export type Progress = z.infer<typeof Progress>

const PICTURES = ['best', 'last', 'majority'] as const
const STATE = ['pictures', 'best', 'bestObjective', 'majority', 'majorityStep', 'status'] as const

export class Gathered {
  readonly items: number
  readonly size: number
  readonly rows: number
  readonly traceEvery: number
  /** `[items, ...picture]`, grey levels minus the mean. */
  readonly best: Float32Array
  readonly last: Float32Array
  readonly majority: Float32Array
  /** `[items, rows, 9]`; NaN where nothing was recorded. */
  readonly traces: Float32Array
  readonly majoritySteps: Float32Array
  readonly statuses: Float32Array

  /** @param iterations of the longest setting; one row more records the last picture */
  constructor(items: number, size: number, iterations: number) {
    const width = TRACE_QUANTITIES.length
    this.items = items
    this.size = size
    this.traceEvery = Math.max(1, Math.ceil((items * (iterations + 1) * width) / MOST_TRACE_FLOATS))
    this.rows = Math.floor(iterations / this.traceEvery) + 1
    this.best = new Float32Array(items * size)
    this.last = new Float32Array(items * size)
    this.majority = new Float32Array(items * size)
    this.traces = new Float32Array(items * this.rows * width).fill(NaN)
    this.majoritySteps = new Float32Array(items).fill(-1)
    this.statuses = new Float32Array(items)
  }

  /** A row for each item of a batch, for iteration `step`. */
  record(offset: number, step: number, values: Float32Array): void {
    if (step % this.traceEvery !== 0) return
    const width = TRACE_QUANTITIES.length
    for (let item = 0; item < values.length / width; item++) {
      const row = (offset + item) * this.rows + step / this.traceEvery
      this.traces.set(values.subarray(item * width, (item + 1) * width), row * width)
    }
  }

  /** The pictures of a batch at its end. */
  keep(offset: number, { pictures, best, majority, majorityStep, status }: AscentValues): void {
    this.last.set(pictures, offset * this.size)
    this.best.set(best, offset * this.size)
    this.majority.set(majority, offset * this.size)
    this.majoritySteps.set(majorityStep, offset)
    this.statuses.set(status, offset)
  }

  /** A safetensors file from which `restore` goes on. */
  checkpoint(progress: Progress, state: AscentValues | undefined): Uint8Array {
    const tensors: Record<string, SafeTensor> = {}
    const add = (name: string, data: Float32Array): void => {
      tensors[name] = { dtype: 'F32', shape: [data.length], data }
    }
    for (const name of [...PICTURES, 'traces', 'majoritySteps', 'statuses'] as const) add(name, this[name])
    if (state) for (const name of STATE) add(`state:${name}`, state[name])
    const data = new TextEncoder().encode(JSON.stringify(progress))
    tensors['progress'] = { dtype: 'U8', shape: [data.length], data }
    return encodeSafetensors(tensors)
  }

  /** @throws ConvScopeError 'damaged' for a checkpoint of something else */
  restore(bytes: Uint8Array): { progress: Progress; state: AscentValues | undefined } {
    const file = decodeSafetensors(bytes, SOURCE)
    const read = (name: string): Float32Array => {
      const data = file.get(name)?.data
      if (data instanceof Float32Array) return data
      throw damaged(`it has no ${name}`)
    }
    for (const name of [...PICTURES, 'traces', 'majoritySteps', 'statuses'] as const) {
      const values = read(name)
      if (values.length !== this[name].length) throw damaged(`its ${name} are of another document`)
      this[name].set(values)
    }
    const progress = readProgress(file.get('progress')?.data)
    if (!file.has('state:pictures')) return { progress, state: undefined }
    const [pictures, best, bestObjective, majority, majorityStep, status] = STATE.map((name) => read(`state:${name}`))
    if (!pictures || !best || !bestObjective || !majority || !majorityStep || !status) throw damaged('it has no state')
    return {
      progress,
      state: { step: progress.step, pictures, best, bestObjective, majority, majorityStep, status },
    }
  }
}

function readProgress(data: SafeTensor['data'] | undefined): Progress {
  try {
    return Progress.parse(JSON.parse(new TextDecoder().decode(data)))
  } catch (cause) {
    throw damaged('it does not say how far it is', cause)
  }
}

function damaged(reason: string, cause?: unknown): ConvScopeError {
  return new ConvScopeError('damaged', `${SOURCE} cannot be used: ${reason}`, {
    remedy: 'Start the run again from its document.',
    cause,
  })
}
