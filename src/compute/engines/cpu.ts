/** tfjs's plain JavaScript kernels: slow, always there, the reference of the tests. */
import { interruptEagerRun } from './eager-interruption.ts'
import { eagerStep } from './eager-step.ts'
import type { Engine } from './engine.ts'
import { cpuModel } from './hardware.ts'
import { activateBackend, loadTfjs } from './tfjs.ts'

const BACKEND = 'cpu'

export async function startCpu(): Promise<Engine> {
  const tf = loadTfjs()
  await activateBackend(tf, BACKEND)
  return {
    identity: {
      name: 'cpu',
      version: `tfjs ${tf.version['tfjs-core']}`,
      device: cpuModel(),
      threads: 1,
      kernels: 'stock',
      deterministic: true,
    },
    tf,
    compile: (step, options) => eagerStep(tf, BACKEND, step, options),
    memory: () => ({ bytes: tf.memory().numBytes, tensors: tf.memory().numTensors }),
    trim: () => undefined,
    interrupt: interruptEagerRun,
    async dispose() {
      tf.disposeVariables()
    },
  }
}
