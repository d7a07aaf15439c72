/**
 * Threads for tfjs's WebAssembly backend in Node, which its package supports in browsers only. Its glue code makes workers from
 * `blob:` addresses and reads its script from one; Node's worker threads take neither, so while the backend starts they are given the source
 * text itself and the path of the script.
 */
import type * as Os from 'node:os'
import { dirname, join } from 'node:path'
import type * as WorkerThreads from 'node:worker_threads'
import { requireModule } from './tfjs.ts'

/** The backend starts eight workers whatever it is asked for, and can use no more. */
export const MOST_WASM_THREADS = 8

const SCRIPT = 'tfjs-backend-wasm-threaded-simd'

/** JavaScript of one worker: the package's own text, with `importScripts` reading the glue code from its file. */
function workerSource(): string {
  const folder = join(dirname(requireModule.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'wasm-out')
  const { wasmWorkerContents } = requireModule(join(folder, `${SCRIPT}.worker.js`)) as { wasmWorkerContents: string }
  const path = JSON.stringify(join(folder, `${SCRIPT}.js`))
  return [
    `globalThis.URL.createObjectURL = () => 'blob:script'`,
    `globalThis.URL.revokeObjectURL = () => {}`,
    wasmWorkerContents.replaceAll('\n', '\\n'),
    // The module part at the end is for require(); here the script runs in the global scope.
    `globalThis.importScripts = () => (0, eval)(fs.readFileSync(${path}, 'utf8').replace(/if \\(typeof exports[\\s\\S]*$/, ''))`,
  ].join('\n;')
}

/**
 * Runs `start` (the initialisation of the backend) with the worker class and the number of cores that let it have `threads` threads.
 * Both are put back afterwards, and so are the process-wide error handlers that the glue code installs.
 */
export async function withWasmThreads<T>(threads: number, start: () => Promise<T>): Promise<T> {
  const workerThreads = requireModule('node:worker_threads') as { Worker: typeof WorkerThreads.Worker }
  const os = requireModule('node:os') as { cpus: typeof Os.cpus }
  const source = workerSource()
  const { Worker } = workerThreads
  const { cpus } = os
  const handled = ['uncaughtException', 'unhandledRejection'] as const
  const before = new Map(handled.map((event) => [event, process.rawListeners(event)]))

  workerThreads.Worker = class extends Worker {
    constructor(file: string | URL, options?: WorkerThreads.WorkerOptions) {
      const blob = typeof file === 'string' && file.startsWith('blob:')
      super(blob ? source : file, blob ? { ...options, eval: true } : options)
    }
  }
  // The backend uses at most half of the cores that it sees.
  os.cpus = () =>
    Array.from({ length: 2 * threads }, (_, index) => cpus()[index] ?? cpus()[0]).filter((cpu) => cpu !== undefined)
  try {
    return await start()
  } finally {
    workerThreads.Worker = Worker
    os.cpus = cpus
    for (const event of handled) {
      for (const listener of process.rawListeners(event)) {
        if (!before.get(event)?.includes(listener)) process.off(event, listener as () => void)
      }
    }
  }
}
