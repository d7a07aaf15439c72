/**
 * Runs compiled steps for a long time and watches tensors and resident memory.
 *
 *   node bench/compiled-steps-soak.ts [--steps N] [--cycles N]
 *
 * 10,000 training steps and 1,000 cycles of compiling, calling and disposing by default. Fails where tensors are left behind or resident
 * memory outside JavaScript's heap grows by 32 MB or more after the first tenth. That heap is shown apart: V8 makes it larger while much is
 * allocated, and keeps it so.
 */
import { parseArgs } from 'node:util'
import type { Tensor } from '@tensorflow/tfjs'
import { autoencoderState, autoencoderStep } from '../src/compute/engines/compiled/testing/autoencoder.ts'
import { disposeTensors, startEngine } from '../src/compute/engines/index.ts'

const LIMIT_BYTES = 32 * 2 ** 20
const { values } = parseArgs({
  options: { steps: { type: 'string', default: '10000' }, cycles: { type: 'string', default: '1000' } },
})
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
  const once = engine.compile(({ x: given }: { x: Tensor }) => tf.mul(tf.relu(tf.matMul(given, given)), factor))
  for (let call = 0; call < 3; call++) disposeTensors(await once.run({ x }))
  once.dispose()
}

async function watch(name: string, count: number, body: () => Promise<void>): Promise<boolean> {
  const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`
  for (let done = 0; done < count / 10; done++) await body()
  const tensors = engine.memory().tensors
  const before = process.memoryUsage()
  for (let done = Math.ceil(count / 10); done < count; done++) {
    await body()
    if (done % Math.ceil(count / 5) === 0) {
      process.stdout.write(
        `${name} ${done}: ${engine.memory().tensors} tensors, ${megabytes(process.memoryUsage.rss())}\n`,
      )
    }
  }
  const after = process.memoryUsage()
  const heap = after.heapTotal - before.heapTotal
  const grown = after.rss - before.rss - heap
  process.stdout.write(
    `${name} ${count}: ${engine.memory().tensors - tensors} more tensors, ${megabytes(grown)} more memory and ${megabytes(heap)} more heap\n`,
  )
  return engine.memory().tensors === tensors && grown < LIMIT_BYTES
}

const fine = [
  await watch('training steps', Number(values.steps), train),
  await watch('cycles', Number(values.cycles), cycle),
]
await engine.dispose()
process.exit(fine.every(Boolean) ? 0 : 1)
