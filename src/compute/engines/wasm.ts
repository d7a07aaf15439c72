/** tfjs's WebAssembly backend with threads and with gradients of its own: runs everywhere, nothing to install. */
import { dirname, join, sep } from 'node:path'
import type * as WasmBackend from '@tensorflow/tfjs-backend-wasm'
import { ConvScopeError } from '../../shared/errors.ts'
import { interruptEagerRun } from './eager-interruption.ts'
import { eagerStep } from './eager-step.ts'
import type { Engine } from './engine.ts'
import { cpuModel, threadCount } from './hardware.ts'
import { activateBackend, loadTfjs, requireModule } from './tfjs.ts'
import { replaceWasmKernels, WASM_BACKEND, WASM_KERNELS } from './wasm-kernels.ts'
import { MOST_WASM_THREADS, withWasmThreads } from './wasm-threads.ts'

export interface WasmOptions {
  /** All cores by default, at most eight. */
  readonly threads?: number
}

/** Starts the backend (0.3 s). With more than one thread its workers keep the process alive until `dispose`. */
export async function startWasm(options: WasmOptions = {}): Promise<Engine> {
  const tf = loadTfjs()
  const threads = Math.min(threadCount(options.threads), MOST_WASM_THREADS)
  const wasm = requireModule('@tensorflow/tfjs-backend-wasm') as typeof WasmBackend
  wasm.setWasmPaths(join(dirname(requireModule.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist') + sep)
  if (threads === 1) {
    await activateBackend(tf, WASM_BACKEND)
  } else {
    wasm.setThreadsCount(threads)
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true)
    await withWasmThreads(threads, () => activateBackend(tf, WASM_BACKEND))
    if (wasm.getThreadsCount() !== threads) {
      throw new ConvScopeError('unsupported', `WebAssembly started ${wasm.getThreadsCount()} of ${threads} threads`, {
        remedy: 'Set the number of threads to 1.',
      })
    }
  }
  replaceWasmKernels(tf)
  return {
    identity: {
      name: 'wasm',
      version: `tfjs ${tf.version['tfjs-core']}`,
      device: cpuModel(),
      threads,
      kernels: WASM_KERNELS,
      deterministic: true,
    },
    tf,
    compile: (step, compileOptions) => eagerStep(tf, WASM_BACKEND, step, compileOptions),
    memory: () => ({ bytes: tf.memory().numBytes, tensors: tf.memory().numTensors }),
    trim: () => undefined,
    interrupt: interruptEagerRun,
    async dispose() {
      tf.disposeVariables()
      tf.removeBackend(WASM_BACKEND)
    },
  }
}
