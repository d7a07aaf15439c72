/** Errors about steps that cannot be captured, and the place in the step they come from. */
import { ConvScopeError } from '../../../shared/errors.ts'

/** Where an operation came from: the outermost tfjs kernel that was asked for, and the stack at that moment. */
export interface Origin {
  readonly kernel: string
  /** Formatted only when it is needed: V8 keeps the frames until `stack` is read. */
  readonly trace: Error
}

const LIBRARY = /[\\/]@tensorflow[\\/]/
/** Gradients and kernels that this project puts in place of tfjs's own. */
const OWN = /[\\/]compute[\\/]engines[\\/](?!.*\.test\.)[^\\/]*-?(kernels|gradients)\.ts|\bgradFunc\b/

/** `file:line:column` of the code that called into tfjs, or undefined where the stack does not show it. */
export function placeOf({ trace }: Origin): string | undefined {
  const frames = (trace.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  for (const frame of frames) {
    const place = /\(?(?:file:\/\/)?([^()\s]+:\d+:\d+)\)?$/.exec(frame)
    if (place !== null && !LIBRARY.test(frame) && !OWN.test(frame)) return place[1]
  }
  return undefined
}

/** `Relu (…/step.ts:12:5)`. */
export function describeOrigin(origin: Origin | undefined): string {
  if (origin === undefined) return 'outside any operation'
  const place = placeOf(origin)
  return place === undefined ? origin.kernel : `${origin.kernel} (${place})`
}

/** `ReluGrad of Relu (…/step.ts:12:5)`, or `Relu (…/step.ts:12:5)` where TensorFlow's name is that of the kernel. */
export function describeOperation(operation: string, origin: Origin | undefined): string {
  const place = describeOrigin(origin)
  return origin?.kernel === operation ? place : `${operation} of ${place}`
}

/** The error for a step that breaks a rule of steps; docs/compiled-steps.md explains each. */
export function stepRefused(step: string, reason: string, remedy: string): ConvScopeError {
  return new ConvScopeError('internal', `The step ${step} cannot be compiled: ${reason}`, { remedy })
}

/** The stack above a function that watches: its caller comes first. */
export function traceAbove(watcher: (...call: never[]) => unknown): Error {
  const trace = new Error()
  Error.captureStackTrace(trace, watcher)
  return trace
}
