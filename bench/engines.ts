/**
 * Speed of every engine that starts here, and how many times each is faster than WebAssembly.
 *
 *   node bench/engines.ts [engine …]
 *
 * Each engine runs in a process of its own. Ratios on one machine compare; absolute times do not travel.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Tensor, Tensor4D } from '@tensorflow/tfjs'
import { disposeTensors, startEngine, type Engine } from '../src/compute/engines/index.ts'
import { EngineName, ENGINE_NAMES } from '../src/shared/engines.ts'

type Timings = Readonly<Record<string, number>>

/** Median milliseconds of several runs after one that is not counted; the result is read back each time. */
async function medianMs(run: () => Promise<Tensor>): Promise<number> {
  const times: number[] = []
  const end = performance.now() + 1500
  for (let count = 0; count < 4 || (count < 40 && performance.now() < end); count++) {
    const started = performance.now()
    const result = await run()
    await result.data()
    result.dispose()
    if (count > 0) times.push(performance.now() - started)
  }
  times.sort((a, b) => a - b)
  return times[Math.floor(times.length / 2)] ?? NaN
}

async function stepMs(
  engine: Engine,
  inputs: Record<string, Tensor>,
  step: (inputs: Record<string, Tensor>) => Tensor,
): Promise<number> {
  const compiled = engine.compile(step)
  const time = await medianMs(() => compiled.run(inputs))
  compiled.dispose()
  disposeTensors(inputs)
  return time
}

async function timings(engine: Engine): Promise<Timings> {
  const { tf } = engine
  const noise = (shape: number[], seed: number): Tensor => tf.randomUniform(shape, -0.1, 0.1, 'float32', seed)
  const part = (inputs: Record<string, Tensor>, name: string): Tensor => {
    const tensor = inputs[name]
    if (tensor === undefined) throw new Error(`no input ${name}`)
    return tensor
  }
  const image = (inputs: Record<string, Tensor>, name: string): Tensor4D => part(inputs, name) as Tensor4D
  const corner = (tensor: Tensor): Tensor => tf.sum(tensor)
  const convolution = (): Record<string, Tensor> => ({
    x: noise([8, 58, 58, 64], 1),
    w: noise([3, 3, 64, 64], 2),
    dy: noise([8, 56, 56, 64], 3),
  })
  return {
    'matrix product 1024': await stepMs(engine, { a: noise([1024, 1024], 4) }, (i) =>
      corner(tf.matMul(part(i, 'a'), part(i, 'a'))),
    ),
    'convolution 3×3 64→64, 56×56, batch 8': await stepMs(engine, convolution(), (i) =>
      corner(tf.conv2d(image(i, 'x'), image(i, 'w'), 1, 'valid')),
    ),
    'the same with its input gradient': await stepMs(engine, convolution(), (i) =>
      corner(tf.grad((x) => tf.conv2d(x as Tensor4D, image(i, 'w'), 1, 'valid'))(part(i, 'x'), part(i, 'dy'))),
    ),
    'the same with its filter gradient': await stepMs(engine, convolution(), (i) =>
      corner(tf.grad((w) => tf.conv2d(image(i, 'x'), w as Tensor4D, 1, 'valid'))(part(i, 'w'), part(i, 'dy'))),
    ),
    'CaffeNet conv1, 227×227, batch 1': await stepMs(
      engine,
      { x: noise([1, 227, 227, 3], 5), w: noise([11, 11, 3, 96], 6) },
      (i) => corner(tf.conv2d(image(i, 'x'), image(i, 'w'), 4, 'valid')),
    ),
    'multi-layer perceptron 784-100-100-10, loss and input gradient, batch 1': await stepMs(
      engine,
      {
        x: noise([1, 784], 7),
        a: noise([784, 100], 8),
        b: noise([100, 100], 9),
        c: noise([100, 10], 10),
        label: tf.oneHot([3], 10, 1, 0, 'float32'),
      },
      (i) =>
        tf.grad((x) => {
          const hidden = tf.sigmoid(tf.matMul(tf.sigmoid(tf.matMul(x, part(i, 'a'))), part(i, 'b')))
          return tf.losses.softmaxCrossEntropy(part(i, 'label'), tf.matMul(hidden, part(i, 'c')))
        })(part(i, 'x')),
    ),
    'autoencoder 32×32, four layers down and up, batch 64, training step': await stepMs(
      engine,
      {
        x: noise([64, 32, 32, 3], 11),
        ...Object.fromEntries(
          [3, 16, 32, 64].map((channels, layer) => [
            `w${layer}`,
            noise([4, 4, channels, [16, 32, 64, 128][layer] ?? 0], 20 + layer),
          ]),
        ),
      },
      (i) => {
        const filters = [0, 1, 2, 3].map((layer) => part(i, `w${layer}`))
        const loss = (...all: Tensor[]): Tensor => {
          const shapes: [number, number, number, number][] = []
          const code = all.reduce(
            (x: Tensor4D, filter) => {
              shapes.push(x.shape)
              return tf.relu(tf.conv2d(x, filter as Tensor4D, 2, 'same'))
            },
            image(i, 'x'),
          )
          const rebuilt = all.reduceRight(
            (y: Tensor4D, filter) => tf.conv2dTranspose(y, filter as Tensor4D, shapes.pop() ?? y.shape, 2, 'same'),
            code,
          )
          return tf.losses.meanSquaredError(image(i, 'x'), rebuilt)
        }
        const { value, grads } = tf.valueAndGrads(loss)(filters)
        return grads.reduce((sum: Tensor, gradient) => tf.add(sum, tf.sum(gradient)), value)
      },
    ),
  }
}

async function child(name: EngineName): Promise<void> {
  const { engine } = await startEngine(name)
  process.stdout.write(JSON.stringify({ identity: engine.identity, timings: await timings(engine) }))
  await engine.dispose()
  process.exit(0)
}

function parent(names: readonly EngineName[]): void {
  const columns = new Map<EngineName, Timings>()
  for (const name of names) {
    const answer = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--child', name], { encoding: 'utf8' })
    if (answer.status !== 0) {
      const reason = /ConvScopeError: (.*)/.exec(answer.stderr)?.[1] ?? answer.stderr.trim().split('\n').at(-1)
      process.stdout.write(`${name}: not measured: ${reason}\n`)
      continue
    }
    const { identity, timings: times } = JSON.parse(answer.stdout) as {
      identity: { version: string; device: string; threads: number }
      timings: Timings
    }
    process.stdout.write(`${name}: ${identity.version} on ${identity.device}, ${identity.threads} threads\n`)
    columns.set(name, times)
  }
  const [first] = columns.values()
  const base = columns.get('wasm') ?? first ?? {}
  for (const work of Object.keys(first ?? {})) {
    process.stdout.write(`\n${work}\n`)
    for (const [name, times] of columns) {
      const ms = times[work] ?? NaN
      process.stdout.write(
        `  ${name.padEnd(16)} ${ms.toFixed(2).padStart(9)} ms  ${((base[work] ?? NaN) / ms).toFixed(2).padStart(7)} ×\n`,
      )
    }
  }
}

const [first, ...rest] = process.argv.slice(2)
if (first === '--child') await child(EngineName.parse(rest[0]))
else
  parent(
    first === undefined
      ? ENGINE_NAMES.filter((name) => name !== 'cpu')
      : [first, ...rest].map((name) => EngineName.parse(name)),
  )
