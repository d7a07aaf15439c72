/** TensorFlow's own library under tfjs: on the CPU, and with CUDA on an NVIDIA GPU. */
import { existsSync } from 'node:fs'
import util from 'node:util'
import type { KernelBackend } from '@tensorflow/tfjs'
import { action } from '../../shared/actions.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { EngineIdentity } from '../../shared/engines.ts'
import { StepCompiler } from './compiled/compiled-step.ts'
import { interruptEagerRun } from './eager-interruption.ts'
import { eagerStep } from './eager-step.ts'
import type { Engine } from './engine.ts'
import { holdsTensorflow } from './folders.ts'
import { cpuModel, nvidiaGpus, threadCount } from './hardware.ts'
import { loadAddon } from './tensorflow-addon.ts'
import {
  replaceTensorflowKernels,
  TENSORFLOW_BACKEND,
  tensorflowKernels,
  type NodeBackend,
  type NodeBinding,
} from './tensorflow-kernels.ts'
import { usePictureKernels } from './tensorflow-picture-kernels.ts'
import { usesOneDnn } from './tensorflow-convolutions.ts'
import { useSparseGradients } from './tensorflow-sparse-gradients.ts'
import { registerWalkKernels } from './tensorflow-walk-kernels.ts'
import { activateBackend, loadTfjs, requireModule } from './tfjs.ts'

export interface TensorflowOptions {
  /** Folder with libtensorflow_cc and libtensorflow_framework. */
  readonly folder: string
  /** For an addon that the search would not find. */
  readonly addonPath?: string
  readonly cacheFolder: string
  /** All cores by default, never more than there are. */
  readonly threads?: number
  readonly cuda: boolean
  /** On a GPU: full float32 instead of TF32, and deterministic kernels. Default true. */
  readonly exact?: boolean
}

type NodeBackendClass = new (binding: NodeBinding, packageName: string) => KernelBackend & NodeBackend

/**
 * A serialised ConfigProto: field 2 intra_op_parallelism_threads, field 5 inter_op_parallelism_threads,
 * field 6 gpu_options with its field 4, allow_growth (else TensorFlow takes all of the GPU's memory at once).
 */
export function configProto(threads: number, cuda: boolean): Uint8Array {
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)])
  return Uint8Array.from([0x10, ...varint(threads), 0x28, ...varint(threads), ...(cuda ? [0x32, 2, 0x20, 1] : [])])
}

/** Real environment variables that TensorFlow reads while it starts. */
function environmentFor(options: TensorflowOptions): Record<string, string> {
  const exact = options.exact ?? true
  return {
    TF_CPP_MIN_LOG_LEVEL: '2',
    ...(options.cuda && exact ? { TF_DETERMINISTIC_OPS: '1', NVIDIA_TF32_OVERRIDE: '0' } : {}),
    ...(options.cuda ? {} : { CUDA_VISIBLE_DEVICES: '-1' }),
  }
}

function missingLibrary(options: TensorflowOptions): ConvScopeError {
  const what = options.cuda ? "TensorFlow's library with CUDA" : "TensorFlow's library"
  const install = action(options.cuda ? 'install-cuda-engine' : 'install-engine')
  return new ConvScopeError('unsupported', `${what} is not installed`, {
    remedy: `${install} Or choose another engine.`,
    details: `looked in ${options.folder}`,
  })
}

/**
 * Starts TensorFlow in this process (0.6 to 2 s, about 390 MB). Every call afterwards blocks its thread.
 * Throws 'unsupported' where the library, the addon or (with `cuda`) a GPU is missing.
 */
export async function startTensorflow(options: TensorflowOptions): Promise<Engine> {
  if (!existsSync(options.folder) || !holdsTensorflow(options.folder)) throw missingLibrary(options)
  const gpus = options.cuda ? await nvidiaGpus() : []
  const threads = threadCount(options.threads)
  const addon = await loadAddon(options.cacheFolder, options.addonPath)
  // Removed in Node 23, still called by tfjs-node 4.22.
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  })

  let binding: NodeBinding
  try {
    binding = addon.load(options.folder, configProto(threads, options.cuda), environmentFor(options), false)
  } catch (error) {
    throw new ConvScopeError('unsupported', error instanceof Error ? error.message : String(error), {
      remedy: action('reinstall-engine'),
      cause: error,
    })
  }
  if (options.cuda && !binding.isUsingGpuDevice()) {
    throw new ConvScopeError('unsupported', 'TensorFlow found no CUDA device', {
      remedy: 'Check the NVIDIA driver with nvidia-smi, or choose another engine.',
    })
  }

  const tf = loadTfjs()
  const { NodeJSKernelBackend } = requireModule('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js') as {
    NodeJSKernelBackend: NodeBackendClass
  }
  requireModule('@tensorflow/tfjs-node-gpu/dist/register_all_kernels.js')
  // An addon that was built before it had kernels of its own is used without them.
  const own = !options.cuda && (binding.functions.ownKernels?.(threads) ?? false)
  replaceTensorflowKernels(tf, options.cuda, own)
  if (own) {
    usePictureKernels(tf)
    registerWalkKernels(tf)
    if (!usesOneDnn()) useSparseGradients(tf)
  }
  const backend = new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu')
  tf.registerBackend(TENSORFLOW_BACKEND, () => backend)
  await activateBackend(tf, TENSORFLOW_BACKEND)

  const identity: EngineIdentity = {
    name: options.cuda ? 'tensorflow-cuda' : 'tensorflow',
    version: `TensorFlow ${binding.TF_Version}`,
    device: options.cuda ? (gpus[0] ?? 'CUDA device') : cpuModel(),
    threads,
    kernels: tensorflowKernels(options.cuda, own),
    deterministic: options.cuda ? (options.exact ?? true) : true,
  }
  const compiler = new StepCompiler(tf, backend, own)
  return {
    identity,
    tf,
    // Not tried with CUDA, where functions would have to be placed on the device.
    compile: (step, compileOptions) =>
      options.cuda ? eagerStep(tf, TENSORFLOW_BACKEND, step, compileOptions) : compiler.compile(step, compileOptions),
    memory: () => ({ bytes: tf.memory().numBytes, tensors: backend.getNumOfTFTensors() }),
    trim: () => undefined,
    interrupt() {
      interruptEagerRun()
      compiler.interrupt()
    },
    async dispose() {
      await compiler.idle()
      tf.disposeVariables()
      tf.removeBackend(TENSORFLOW_BACKEND)
    },
  }
}
