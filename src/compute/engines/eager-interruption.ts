/** Steps that run operation by operation on the calling thread (captures too) can be left between two kernels. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { Tfjs } from './engine.ts'

/** How often is looked whether somebody interrupts. */
const LOOK_EVERY_MS = 20

let look: (() => void) | undefined
let lastLook = performance.now()
/** The eager run under way. */
let current: { interrupted: boolean } | undefined

/**
 * `listener` is called between the kernels of eager runs, every 20 ms at most, and may call `interrupt()` of the engine: it lets messages in, which
 * the thread would otherwise not see before the step has ended.
 */
export function listenBetweenKernels(listener: () => void): void {
  look = listener
}

/** Makes the eager run under way throw 'cancelled' before its next kernel; does nothing where none is under way. */
export function interruptEagerRun(): void {
  if (current !== undefined) current.interrupted = true
}

/** Calls `body`, whose kernels run on this thread. @throws ConvScopeError 'cancelled' where it was interrupted; what `body` throws */
export function runInterruptibly<T>(tf: Tfjs, body: () => T): T {
  const engine = tf.engine()
  const { runKernel } = engine
  const isOwn = Object.hasOwn(engine, 'runKernel')
  const run = { interrupted: false }
  const before = current
  current = run
  engine.runKernel = <R>(...call: Parameters<typeof runKernel>): R => {
    const now = performance.now()
    if (now - lastLook > LOOK_EVERY_MS) {
      lastLook = now
      look?.()
    }
    if (run.interrupted) throw new ConvScopeError('cancelled', 'The call was interrupted')
    return runKernel.apply(engine, call) as R
  }
  try {
    return body()
  } finally {
    if (isOwn) engine.runKernel = runKernel
    else Reflect.deleteProperty(engine, 'runKernel')
    current = before
  }
}
