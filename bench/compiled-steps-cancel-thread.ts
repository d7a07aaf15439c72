/** The engine thread of compiled-steps-cancel.ts: the product's, but every document is an endless ascent on a VGG-16-size network. */
import '../src/compute/worker/direct-log.ts'
import type { Tensor } from '@tensorflow/tfjs'
import { disposeTensors, type CompiledStep, type TensorTree } from '../src/compute/engines/index.ts'
import type { ExperimentContext, ExperimentEvent } from '../src/compute/experiments/experiment.ts'
import { runEngineThread } from '../src/compute/worker/engine-loop.ts'
import { productRegistry } from '../src/compute/worker/registry.ts'
import { makeWork, WORKS, type MadeWork } from './compiled-steps-works.ts'

/** Made once, so that later runs begin with a captured step. */
let ascent: { work: MadeWork; step: CompiledStep<TensorTree, TensorTree> } | undefined

async function* climb({ engine }: ExperimentContext): AsyncGenerator<ExperimentEvent, null, void> {
  const { tf } = engine
  const form = WORKS.find(({ name }) => name.startsWith('VGG-16'))
  if (form === undefined) throw new Error('there is no work of the size of VGG-16')
  const work = (ascent?.work ?? makeWork(engine, form)) as MadeWork
  ascent ??= { work, step: engine.compile(work.step, { name: 'ascent' }) }
  let { picture } = work.inputs as { picture: Tensor }
  picture = tf.clone(picture)
  try {
    for (let done = 1; ; done++) {
      const gradient = (await ascent.step.run({ picture })) as Tensor
      const next = tf.tidy(() => tf.add(picture, tf.mul(gradient, 0.1)))
      disposeTensors([picture, gradient])
      picture = next
      yield { type: 'step', done, total: 1e6, unit: 'steps', values: {} }
    }
  } finally {
    picture.dispose()
  }
}

runEngineThread({
  ...productRegistry(),
  prepare: () => ({ seed: 1, run: climb }),
})
