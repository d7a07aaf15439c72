/** The one copy of tfjs that every engine of this process shares. */
import { createRequire } from 'node:module'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Tfjs } from './engine.ts'
import { repairGradients } from './repaired-gradients.ts'

/** Loads CommonJS packages: tfjs-node's kernels and the wasm glue exist only in that form, and must meet the same tfjs-core. */
export const requireModule = createRequire(import.meta.url)

let loaded: Tfjs | undefined

/** tfjs 4.22.0 in production mode (no per-operation validity checks, no hints on the console), with its wrong gradients put right. */
export function loadTfjs(): Tfjs {
  if (loaded === undefined) {
    loaded = requireModule('@tensorflow/tfjs') as Tfjs
    loaded.enableProdMode()
    repairGradients(loaded)
  }
  return loaded
}

/**
 * Makes a registered backend the active one. tfjs itself stays on another backend without an error when one does not start;
 * here that is an 'unsupported' ConvScopeError.
 */
export async function activateBackend(tf: Tfjs, backendName: string): Promise<void> {
  let cause: unknown
  const started = await tf.setBackend(backendName).catch((error: unknown) => {
    cause = error
    return false
  })
  if (started) await tf.ready()
  if (!started || tf.getBackend() !== backendName) {
    throw new ConvScopeError('unsupported', `The numerical backend ${backendName} did not start`, { cause })
  }
}

/** Throws if another backend has become active since the engine was started: results would come from the wrong device. */
export function assertBackend(tf: Tfjs, backendName: string): void {
  if (tf.getBackend() !== backendName) {
    throw new ConvScopeError('internal', `The active backend is ${tf.getBackend()}, not ${backendName}`)
  }
}
