/**
 * Runs compiled steps for a long time and watches tensors and resident memory.
 *
 *   node bench/compiled-steps-soak.ts [--steps N] [--cycles N]
 *
 * 10,000 training steps and 1,000 cycles of compiling, calling and disposing by default, in a thread with the limits of the worker's engine
 * thread. Fails where tensors are left behind or the resident memory of the process grows by 32 MB or more after the first tenth.
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { isMainThread, Worker } from 'node:worker_threads'
import type { Tensor } from '@tensorflow/tfjs'
import { autoencoderState, autoencoderStep } from '../src/compute/engines/compiled/testing/autoencoder.ts'
import { disposeTensors, startEngine } from '../src/compute/engines/index.ts'
import { ENGINE_THREAD_LIMITS } from '../src/compute/worker/engine-thread-limits.ts'

const LIMIT_BYTES = 32 * 2 ** 20
const { values } = parseArgs({
  options: { steps: { type: 'string', default: '10000' }, cycles: { type: 'string', default: '1000' } },
})

async function soak(): Promise<boolean> {
  const { engine } = await startEngine('tensorflow')
  const { tf } = engine
  const step = engine.compile(autoencoderStep(tf))
  const images = tf.tidy(() => tf.abs(tf.randomUniform([8, 16, 16, 3], 0, 1, 'float32', 1))) as Parameters<
    typeof step.run
  >[0]['images']
  let state = autoencoderState(tf, 1)
  let index = 0
  const train = async (): Promise<void> => {
    index++
    const scalars = {
      rate: tf.scalar(1e-3),
      first: tf.scalar(1 - 0.9 ** index),
      second: tf.scalar(1 - 0.999 ** index),
    }
    const result = await step.run({ state, images, scalars })
    disposeTensors([state, scalars, result.loss])
    state = result.state
  }
  const x = tf.ones([4, 4])
  const cycle = async (): Promise<void> => {
    const factor = index++
    const compiled = engine.compile(({ x: given }: { x: Tensor }) => tf.mul(tf.relu(tf.matMul(given, given)), factor))
    for (let call = 0; call < 3; call++) disposeTensors(await compiled.run({ x }))
    compiled.dispose()
  }
  const tensors = (): number => engine.memory().tensors
  const fine = [
    await watch('training steps', Number(values.steps), train, tensors),
    await watch('cycles', Number(values.cycles), cycle, tensors),
  ]
  await engine.dispose()
  return fine.every(Boolean)
}

async function watch(
  name: string,
  count: number,
  body: () => Promise<void>,
  tensorCount: () => number,
): Promise<boolean> {
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`
  for (let done = 0; done < count / 10; done++) await body()
  const tensors = tensorCount()
  const before = process.memoryUsage()
  for (let done = Math.ceil(count / 10); done < count; done++) {
    await body()
    if (done % Math.ceil(count / 5) === 0)
      process.stdout.write(`${name} ${done}: ${tensorCount()} tensors, ${megabytes(process.memoryUsage.rss())}\n`)
  }
  const after = process.memoryUsage()
  const grown = after.rss - before.rss
  process.stdout.write(
    `${name} ${count}: ${tensorCount() - tensors} more tensors, ${megabytes(grown)} more resident memory, ` +
      `of which JavaScript's heap took ${megabytes(after.heapTotal - before.heapTotal)}\n`,
  )
  return tensorCount() === tensors && grown < LIMIT_BYTES
}

if (isMainThread) {
  const thread = new Worker(import.meta.filename, {
    argv: process.argv.slice(2),
    resourceLimits: ENGINE_THREAD_LIMITS,
  })
  const [code] = (await once(thread, 'exit')) as [number]
  process.exitCode = code
} else {
  process.exit((await soak()) ? 0 : 1)
}
