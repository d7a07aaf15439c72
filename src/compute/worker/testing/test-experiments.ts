/** Experiments of the test worker. `amount` is what each makes of it: steps, milliseconds or bytes. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import * as z from 'zod'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { ExperimentContext, ExperimentEvent } from '../../experiments/experiment.ts'
import { INLINE_LIMIT_BYTES } from '../output-writer.ts'
import { RunContext } from '../run-context.ts'

type Run = (amount: number, context: ExperimentContext) => AsyncGenerator<ExperimentEvent, unknown, void>
const kinds = [
  'count',
  'wait',
  'outputs',
  'damaged-output',
  'print',
  'busy',
  'allocate',
  'throw',
  'kill',
  'abort',
  'reject',
  'checkpoint',
  'checkpoint-and-wait',
  'previews',
] as const
export const TestDocument = z.object({ kind: z.enum(kinds), amount: z.number().default(0) })

const step = (done: number, total: number): ExperimentEvent => ({
  type: 'step',
  done,
  total,
  unit: 'steps',
  values: { loss: 1 / done, lost: NaN },
})

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end) Math.sqrt(end)
}

export const testExperiments: Record<(typeof kinds)[number], Run> = {
  /** Computes some milliseconds a step. */
  async *count(amount, context) {
    for (let done = 1; done <= amount; done++) {
      spin(5)
      await context.outputJson('last', { done })
      yield step(done, amount)
    }
    return { counted: amount }
  },
  /** Without computing; ends at once when it is cancelled. */
  async *wait(amount, context) {
    yield step(1, 1)
    await after(amount, undefined, { signal: context.signal })
    return null
  },
  /** One output in the frame and one of `amount` floats. */
  async *outputs(amount, context) {
    await context.outputPicture('small', 2, 1, 1, new Uint8Array([0, 255]))
    await context.outputArray('large', [amount], new Float32Array(amount).fill(0.5))
    yield step(1, 1)
    return { done: true }
  },
  /** Overwrites its own large output after its hash was taken. */
  async *'damaged-output'(amount, context) {
    await context.outputArray('large', [amount], new Float32Array(amount))
    if (!(context instanceof RunContext)) throw new TypeError('not the context of a worker')
    const probe = await context.outputs.deliver({ name: 'probe', kind: 'json' }, new Uint8Array(2 * INLINE_LIMIT_BYTES))
    if (!('file' in probe)) throw new TypeError('the probe went into the frame')
    rmSync(probe.file)
    const folder = dirname(probe.file)
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'x', { flag: 'r+' })
    yield step(1, 1)
    return null
  },
  async *print(amount) {
    for (let line = 1; line <= amount; line++) {
      process.stdout.write(`stdout line ${line} é\n`)
      yield step(line, amount)
    }
    return null
  },
  /** Does not yield. */
  async *busy(amount) {
    yield step(1, 2)
    spin(amount)
    return null
  },
  async *allocate(amount) {
    const blocks: Uint8Array[] = []
    for (let bytes = 0; bytes < amount; bytes += 2 ** 24) {
      blocks.push(new Uint8Array(2 ** 24).fill(1))
      yield step(blocks.length, Math.ceil(amount / 2 ** 24))
    }
    await after(60_000)
    return blocks.length
  },
  async *throw() {
    yield step(1, 2)
    throw new ConvScopeError('invalid-input', 'The layer has no such channel', { remedy: 'Choose another.' })
  },
  async *kill() {
    process.stderr.write('about to be killed\n')
    yield step(1, 2)
    process.kill(process.pid, 'SIGKILL')
    return null
  },
  /** As a native library does it. */
  async *abort() {
    yield step(1, 2)
    process.kill(process.pid, 'SIGABRT')
    return null
  },
  /** A defect in code that nobody awaits. */
  async *reject() {
    yield step(1, 2)
    void Promise.reject(new Error('nobody awaits this'))
    await after(60_000)
    return null
  },
  async *checkpoint(amount, context) {
    const from = context.checkpoint?.[0] ?? 0
    yield { type: 'checkpoint', step: from + 1, bytes: new Uint8Array(amount).fill(from + 1) }
    return { from }
  },
  async *'checkpoint-and-wait'(amount, context) {
    yield { type: 'checkpoint', step: 1, bytes: new Uint8Array(amount) }
    await after(60_000, undefined, { signal: context.signal })
    return null
  },
  async *previews(amount) {
    for (let index = 0; index < amount; index++) {
      yield {
        type: 'preview',
        name: 'picture',
        width: 100,
        height: 100,
        channels: 1,
        pixels: new Uint8Array(10_000).fill(index),
      }
    }
    return null
  },
}
