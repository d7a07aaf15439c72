/** tfjs's WebGPU backend on Dawn: GPUs of every make. Works in plain Node only (Electron refuses the buffers that Dawn maps). */
import type { KernelBackend } from '@tensorflow/tfjs'
import { ConvScopeError } from '../../shared/errors.ts'
import { interruptEagerRun } from './eager-interruption.ts'
import { eagerStep } from './eager-step.ts'
import type { Engine } from './engine.ts'
import { activateBackend, loadTfjs, requireModule } from './tfjs.ts'

export interface WebGpuOptions {
  /** Accept an adapter that runs on the CPU. Only for tests: it is a hundred times slower than WebAssembly. */
  readonly allowSoftware?: boolean
}

const BACKEND = 'webgpu'

/** Part of an engine's identity: change it whenever results may change. */
const KERNELS = 'stock+matmul-transposed-convolution'

interface AdapterInfo {
  readonly vendor: string
  readonly architecture: string
  readonly device: string
  readonly description: string
  readonly isFallbackAdapter?: boolean
}

interface Gpu {
  requestAdapter(options: { powerPreference: 'high-performance' }): Promise<{ readonly info: AdapterInfo } | null>
}

interface PooledBuffer {
  readonly size: number
  destroy(): void
}

/** The members of tfjs's backend that are used here. */
interface WebGpuBackend extends KernelBackend {
  readonly adapterInfo: AdapterInfo
  readonly device: { destroy(): void }
  readonly tensorMap: { get(dataId: object): { readonly values?: unknown; readonly dtype: string } }
  readonly bufferManager: {
    readonly freeBuffers: Map<string, PooledBuffer[]>
    numFreeBuffers: number
    numBytesAllocated: number
    readonly numBytesUsed: number
  }
}

async function loadDawn(): Promise<Gpu> {
  // A variable keeps bundlers from resolving the optional package.
  const packageName = 'webgpu'
  const dawn = (await import(packageName).catch((cause: unknown) => {
    throw new ConvScopeError('unsupported', 'The WebGPU library (npm package webgpu) cannot be loaded on this system', {
      cause,
      details: cause instanceof Error ? cause.message : String(cause),
    })
  })) as { create(options: string[]): Gpu; globals: object }
  Object.assign(globalThis, dawn.globals)
  return dawn.create([])
}

/** Whether a GPU is emulated on the CPU. */
export function isSoftwareAdapter(info: AdapterInfo): boolean {
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`
  return (
    info.isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b|software/i.test(text)
  )
}

function nameOf(info: AdapterInfo): string {
  return (
    info.description || info.device || [info.vendor, info.architecture].filter((part) => part !== '').join(' ') || 'GPU'
  )
}

/** Destroys the buffers that the backend pools for every size it has ever met. */
function trimPool({ bufferManager }: WebGpuBackend): void {
  for (const buffers of bufferManager.freeBuffers.values()) {
    for (const buffer of buffers) {
      bufferManager.numBytesAllocated -= buffer.size
      buffer.destroy()
    }
    buffers.length = 0
  }
  bufferManager.numFreeBuffers = 0
}

/** Without a canvas the backend cannot read synchronously and fails with a ReferenceError; say what to do instead. */
function refuseSynchronousReads(backend: WebGpuBackend): void {
  const readSync = backend.readSync.bind(backend)
  backend.readSync = (dataId: object) => {
    const { values, dtype } = backend.tensorMap.get(dataId)
    if ((values === undefined || values === null) && dtype !== 'string') {
      throw new ConvScopeError('internal', 'A tensor on the GPU is read with `await tensor.data()`, not synchronously')
    }
    return readSync(dataId)
  }
}

/** Starts Dawn and the backend. Throws 'unsupported' without a GPU, or with one that is emulated unless that is allowed. */
export async function startWebGpu(options: WebGpuOptions = {}): Promise<Engine> {
  const gpu = await loadDawn()
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (adapter === null) {
    throw new ConvScopeError('unsupported', 'No GPU with a Vulkan, Metal or Direct3D 12 driver was found', {
      remedy: 'Install the driver of the GPU, or choose another engine.',
    })
  }
  if (isSoftwareAdapter(adapter.info) && options.allowSoftware !== true) {
    throw new ConvScopeError('unsupported', `The only GPU is emulated on the processor (${nameOf(adapter.info)})`, {
      remedy: 'Install the driver of the GPU, or choose another engine.',
    })
  }
  // The backend registers itself only if navigator.gpu is there when it is loaded.
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true })
  const tf = loadTfjs()
  requireModule('@tensorflow/tfjs-backend-webgpu')
  tf.env().set('WEBGPU_USE_NAIVE_CONV2D_TRANSPOSE', false)
  await activateBackend(tf, BACKEND)
  const backend = tf.backend() as WebGpuBackend
  if (isSoftwareAdapter(backend.adapterInfo) && options.allowSoftware !== true) {
    throw new ConvScopeError('unsupported', `tfjs took an emulated GPU (${nameOf(backend.adapterInfo)})`)
  }
  refuseSynchronousReads(backend)

  return {
    identity: {
      name: 'webgpu',
      version: `tfjs ${tf.version['tfjs-core']}, Dawn`,
      device: nameOf(backend.adapterInfo),
      threads: 1,
      kernels: KERNELS,
      deterministic: false,
    },
    tf,
    compile: (step, compileOptions) => eagerStep(tf, BACKEND, step, compileOptions),
    memory: () => ({ bytes: backend.bufferManager.numBytesUsed, tensors: tf.memory().numTensors }),
    trim: () => trimPool(backend),
    interrupt: interruptEagerRun,
    async dispose() {
      tf.disposeVariables()
      tf.removeBackend(BACKEND)
      backend.device.destroy()
    },
  }
}
