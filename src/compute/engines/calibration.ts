/** How fast an engine is: one number to choose by, and two that mean something to people. */
import type { Tensor, Tensor4D } from '@tensorflow/tfjs'
import { eagerStep } from './eager-step.ts'
import type { Engine } from './engine.ts'
import { disposeTensors } from './tensor-tree.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** Milliseconds of the median of several runs within about `budgetMs`, after one that is not counted; the result is read back each time. */
async function medianMs(run: () => Promise<Tensor>, budgetMs: number): Promise<number> {
  const once = async (): Promise<number> => {
    const started = performance.now()
    const result = await run()
    await result.data()
    result.dispose()
    return performance.now() - started
  }
  await once()
  const times: number[] = []
  for (const end = performance.now() + budgetMs; times.length < 3 || (performance.now() < end && times.length < 50);)
    times.push(await once())
  times.sort((a, b) => a - b)
  return times[Math.floor(times.length / 2)] ?? 0
}

/** Numbers in −1 … 1 that are the same everywhere; made on the processor, since random operations differ between engines. */
function noise(tf: Engine['tf'], shape: number[], seed: number): Tensor {
  let state = seed >>> 0
  const values = new Float32Array(sizeOf(shape))
  for (let index = 0; index < values.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    values[index] = state / 2 ** 31 - 1
  }
  return tf.tensor(values, shape)
}

/**
 * A step of plain gradient descent of a small convolutional classifier (16 images of 32×32) that returns the loss and the new filters.
 * `compile` is the engine's own, or one that runs it operation by operation.
 */
async function trainingStepMs(
  engine: Engine,
  compile: Engine['compile'] = (step, options) => engine.compile(step, options),
): Promise<{ ms: number; captured: boolean }> {
  const { tf } = engine
  const inputs = {
    images: noise(tf, [16, 36, 36, 3], 1),
    labels: tf.tidy(() => tf.oneHot(tf.range(0, 16, 1, 'int32').mod(10).toInt(), 10, 1, 0, 'float32')),
    first: tf.tidy(() => noise(tf, [5, 5, 3, 32], 2).mul(0.1)),
    second: tf.tidy(() => noise(tf, [3, 3, 32, 64], 3).mul(0.05)),
    dense: tf.tidy(() => noise(tf, [7 * 7 * 64, 10], 4).mul(0.02)),
  }
  const step = compile(({ images, labels, first, second, dense }: typeof inputs) => {
    const loss = (a: Tensor, b: Tensor, c: Tensor): Tensor => {
      const low = tf.maxPool(tf.relu(tf.conv2d(images as Tensor4D, a as Tensor4D, 1, 'valid')), 2, 2, 'valid')
      const high = tf.relu(tf.conv2d(low, b as Tensor4D, 2, 'valid'))
      return tf.losses.softmaxCrossEntropy(labels, tf.matMul(tf.reshape(high, [16, 7 * 7 * 64]), c))
    }
    const { value, grads } = tf.valueAndGrads((a, b, c) => loss(a as Tensor, b as Tensor, c as Tensor))([
      first,
      second,
      dense,
    ])
    return {
      loss: value,
      filters: grads.map((gradient, index) => tf.sub([first, second, dense][index] ?? 0, tf.mul(gradient, 0.01))),
    }
  })
  const time = await medianMs(async () => {
    const { loss, filters } = await step.run(inputs)
    disposeTensors(filters)
    return loss
  }, 250)
  const { captured } = step.stats()
  step.dispose()
  disposeTensors(inputs)
  return { ms: time, captured }
}

/** CaffeNet's second layer (one group, 5×5, 48 → 128, 27×27), four images, forward and input gradient. */
async function convolutionMs(engine: Engine): Promise<number> {
  const { tf } = engine
  const inputs = {
    x: noise(tf, [4, 31, 31, 48], 5),
    filter: noise(tf, [5, 5, 48, 128], 6),
    dy: noise(tf, [4, 27, 27, 128], 7),
  }
  const step = engine.compile(({ x, filter, dy }: typeof inputs) =>
    tf.grad((image) => tf.conv2d(image as Tensor4D, filter as Tensor4D, 1, 'valid'))(x, dy),
  )
  const time = await medianMs(() => step.run(inputs), 250)
  step.dispose()
  disposeTensors(inputs)
  return time
}

/** Milliseconds of one pass of a small training step and a CaffeNet-size convolution with its input gradient. Takes about a second. */
export async function calibrate(engine: Engine): Promise<number> {
  return (await trainingStepMs(engine)).ms + (await convolutionMs(engine))
}

export interface Speed {
  readonly matmulGflops: number
  readonly convolutionGflops: number
  /** One training step of a small classifier, operation by operation, and captured as a graph where the engine does that. */
  readonly stepMs: number
  readonly compiledStepMs?: number
}

/**
 * GFLOP/s (2 operations for a multiply-add) of a product of 1024×1024 matrices and of a 3×3 convolution 64 → 64, 56×56, batch 8; milliseconds
 * of a small training step.
 */
export async function measure(engine: Engine): Promise<Speed> {
  const { tf } = engine
  const a = noise(tf, [1024, 1024], 8)
  const matmulMs = await medianMs(async () => tf.tidy(() => tf.matMul(a, a).slice([0, 0], [1, 1])), 300)
  const x = noise(tf, [8, 58, 58, 64], 9) as Tensor4D
  const filter = noise(tf, [3, 3, 64, 64], 10) as Tensor4D
  const convMs = await medianMs(
    async () => tf.tidy(() => tf.conv2d(x, filter, 1, 'valid').slice([0, 0, 0, 0], [1, 1, 1, 1])),
    300,
  )
  disposeTensors([a, x, filter])
  const eager = await trainingStepMs(engine, (step, options) => eagerStep(tf, tf.getBackend(), step, options))
  const compiled = await trainingStepMs(engine)
  return {
    stepMs: eager.ms,
    ...(compiled.captured ? { compiledStepMs: compiled.ms } : {}),
    matmulGflops: (2 * 1024 ** 3) / matmulMs / 1e6,
    convolutionGflops: (2 * 8 * 56 * 56 * 9 * 64 * 64) / convMs / 1e6,
  }
}
