/** Starting one engine by its name. */
import { existsSync } from 'node:fs'
import { action } from '../../shared/actions.ts'
import type { EngineName } from '../../shared/engines.ts'
import { startCpu } from './cpu.ts'
import type { Engine } from './engine.ts'
import { defaultCacheFolder, holdsTensorflow, tensorflowFolder } from './folders.ts'
import { nvidiaGpus } from './hardware.ts'
import { startTensorflow } from './tensorflow.ts'
import { startWasm } from './wasm.ts'
import { startWebGpu } from './webgpu.ts'

export interface EngineOptions {
  /** Threads of the engines that compute on the processor: all cores by default, never more than there are. */
  readonly threads?: number
  /** Folder with TensorFlow's library; else $CONVSCOPE_TENSORFLOW_DIR, else what `convscope engine install` has put into the cache folder. */
  readonly tensorflowFolder?: string
  /** The same with CUDA; else $CONVSCOPE_TENSORFLOW_CUDA_DIR. */
  readonly cudaFolder?: string
  /** The TensorFlow addon, where the search would not find it. */
  readonly addonPath?: string
  readonly cacheFolder?: string
  /** On a GPU with TensorFlow: full float32 and deterministic kernels. Default true. */
  readonly exact?: boolean
  /** Accept an emulated GPU. Only for tests. */
  readonly allowSoftware?: boolean
}

/**
 * Starts one engine in this process and makes its backend the active one. A process can hold one engine.
 * Throws 'unsupported' with the reason where it cannot be started; never starts another one instead.
 */
export async function startNamed(name: EngineName, options: EngineOptions): Promise<Engine> {
  const cacheFolder = options.cacheFolder ?? defaultCacheFolder()
  const { threads, addonPath, exact, allowSoftware } = options
  switch (name) {
    case 'tensorflow':
    case 'tensorflow-cuda': {
      const cuda = name === 'tensorflow-cuda'
      const folder = tensorflowFolder(
        cuda ? 'cuda' : 'cpu',
        cuda ? options.cudaFolder : options.tensorflowFolder,
        cacheFolder,
      )
      return startTensorflow({ folder, cacheFolder, cuda, threads, addonPath, exact })
    }
    case 'webgpu':
      return startWebGpu({ allowSoftware })
    case 'wasm':
      return startWasm({ threads })
    case 'cpu':
      return startCpu()
  }
}

/** Why an engine can certainly not start, told without starting anything; undefined if it may. */
export async function obstacle(name: EngineName, options: EngineOptions): Promise<string | undefined> {
  const cacheFolder = options.cacheFolder ?? defaultCacheFolder()
  const holds = (folder: string): boolean => existsSync(folder) && holdsTensorflow(folder)
  if (name === 'tensorflow' && !holds(tensorflowFolder('cpu', options.tensorflowFolder, cacheFolder))) {
    return `TensorFlow's library is not installed. ${action('install-engine')}`
  }
  if (name === 'tensorflow-cuda') {
    if (process.platform !== 'linux') return 'TensorFlow runs on NVIDIA GPUs under Linux only'
    if ((await nvidiaGpus()).length === 0) return 'no NVIDIA GPU with a working driver was found'
    if (!holds(tensorflowFolder('cuda', options.cudaFolder, cacheFolder))) {
      return `TensorFlow's library with CUDA is not installed. ${action('install-cuda-engine')}`
    }
  }
  return undefined
}
