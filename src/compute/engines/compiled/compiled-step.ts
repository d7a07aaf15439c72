/** Steps on the TensorFlow engine: captured once for each combination of input shapes, and called as one operation. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Tensor } from '@tensorflow/tfjs'
import { ConvScopeError } from '../../../shared/errors.ts'
import { callStep } from '../call-step.ts'
import type { CompiledStep, CompileOptions, Step, TensorTree, Tfjs } from '../engine.ts'
import { disposeTensors, mapTensors } from '../tensor-tree.ts'
import { withStockKernels } from '../stock-kernels.ts'
import { TENSORFLOW_BACKEND, type NodeBackend } from '../tensorflow-kernels.ts'
import { assertBackend } from '../tfjs.ts'
import { captureStep } from './capture.ts'
import { FoldedTensors } from './folded-tensors.ts'
import { OperationList } from './operation-list.ts'
import { signatureOf } from './signature.ts'
import { Variant } from './variant.ts'

const MAX_VARIANTS = 8
/** Combinations of which calls before the capture are counted. */
const MAX_EARLY = 256
/** Calls on this thread leave the event loop a turn as often as this. */
const TURN_EVERY_MS = 20

/** What all compiled steps of an engine share. */
export class StepCompiler {
  readonly #tf: Tfjs
  readonly #backend: NodeBackend
  readonly #folded: FoldedTensors
  readonly #ownKernels: boolean
  readonly #underWay = new Set<Promise<unknown>>()
  /** End the waiting of each call that is under way. */
  readonly #interruptions = new Set<(error: ConvScopeError) => void>()
  #operations: OperationList | undefined
  /** The last call that uses variables: later calls wait for it, so that they see what it assigns. */
  #lastWithVariables: Promise<unknown> | undefined
  #lastTurn = performance.now()

  /** `ownKernels`: whether the operations of native/own-kernels.h are there. */
  constructor(tf: Tfjs, backend: NodeBackend, ownKernels: boolean) {
    this.#tf = tf
    this.#backend = backend
    this.#ownKernels = ownKernels
    this.#folded = new FoldedTensors(backend)
  }

  compile<I extends TensorTree, O extends TensorTree>(
    step: Step<I, O>,
    options: CompileOptions = {},
  ): CompiledStep<I, O> {
    const name = options.name ?? (step.name || 'step')
    const maxVariants = Math.max(1, options.maxVariants ?? MAX_VARIANTS)
    const tf = this.#tf
    /** In the order of their last use. */
    const variants = new Map<string, Variant<O>>()
    /** Calls before the capture, by form. */
    const early = new Map<string, number>()
    const captureAfter = options.captureAfter ?? 0
    const fused = this.#ownKernels && options.exact !== true
    const withKernels = options.exact === true ? withStockKernels : <T>(body: () => T): T => body()
    let disposed = false
    let warmed = false
    const totals = { calls: 0, totalMs: 0, lastMs: 0 }

    const requireLive = (): void => {
      if (disposed) throw new ConvScopeError('internal', `The step ${name} was run after it had been disposed`)
      if (tf.engine().state.gradientDepth > 0) {
        throw new ConvScopeError(
          'internal',
          `The step ${name} was run inside a gradient; take the gradient inside the step`,
        )
      }
      assertBackend(tf, TENSORFLOW_BACKEND)
    }

    const capture = (inputs: I, form: string, shapes: string): O => {
      const started = performance.now()
      const captured = withKernels(() => captureStep(tf, this.#backend, this.#operationList(), name, step, inputs))
      const { recording, result } = captured
      if (recording === undefined) {
        if (warmed) {
          throw new ConvScopeError(
            'internal',
            `The step ${name} cannot be compiled: it makes variables in every call`,
            {
              remedy: 'Make variables outside the step.',
            },
          )
        }
        warmed = true
        return result
      }
      try {
        const operations = this.#operationList()
        const parts = {
          tf,
          backend: this.#backend,
          operations,
          folded: this.#folded,
          fused,
          step: name,
          shapes,
          started,
        }
        variants.set(form, new Variant(parts, result, captured.inputs, recording))
      } catch (error) {
        disposeTensors(result)
        throw error
      }
      const [oldest] = variants
      if (oldest !== undefined && variants.size > maxVariants) {
        oldest[1].retire()
        variants.delete(oldest[0])
        early.delete(oldest[0])
      }
      return result
    }

    const call = (inputs: I): O | Promise<O> => {
      requireLive()
      const { form, shapes, tensors } = signatureOf(inputs)
      if (tensors.some((tensor) => tensor.isDisposed)) {
        throw new ConvScopeError('internal', `The step ${name} was given a tensor that has been disposed`)
      }
      const variant = variants.get(form)
      if (variant === undefined) {
        const seen = early.get(form) ?? 0
        if (seen >= captureAfter) return capture(inputs, form, shapes)
        if (early.size >= MAX_EARLY) early.clear()
        early.set(form, seen + 1)
        return withKernels(() => callStep(tf, name, step, inputs))
      }
      variants.delete(form)
      variants.set(form, variant)
      const result = variant.call(tensors)
      if (variant.usesVariables && result instanceof Promise) this.#waitFor(result)
      return result
    }

    return {
      run: async (inputs) => {
        requireLive()
        const started = performance.now()
        const result = this.#lastWithVariables === undefined ? call(inputs) : this.#callAfterVariables(inputs, call)
        const value = result instanceof Promise ? await this.#whileUnderWay(result) : result
        totals.lastMs = performance.now() - started
        totals.totalMs += totals.lastMs
        totals.calls++
        if (result instanceof Promise) this.#lastTurn = performance.now()
        else if (performance.now() - this.#lastTurn > TURN_EVERY_MS) {
          await turn()
          this.#lastTurn = performance.now()
        }
        return value
      },
      stats: () => ({
        name,
        ...totals,
        captured: variants.size > 0,
        variants: [...variants.values()].map((variant) => variant.stats()),
      }),
      dispose() {
        disposed = true
        for (const variant of variants.values()) variant.retire()
        variants.clear()
      },
    }
  }

  /** Calls under way end with 'cancelled' now; their results are thrown away when they come. */
  interrupt(): void {
    for (const end of this.#interruptions) end(new ConvScopeError('cancelled', 'The call was interrupted'))
  }

  /** Resolves when no call is under way, interrupted ones included. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  #operationList(): OperationList {
    this.#operations ??= new OperationList(this.#backend.binding.functions.operations())
    return this.#operations
  }

  /** The inputs may be disposed by the caller meanwhile, so tensors that share their data are used. */
  async #callAfterVariables<I extends TensorTree, O>(inputs: I, call: (inputs: I) => O | Promise<O>): Promise<O> {
    const own: Tensor[] = []
    const shared = mapTensors(inputs, (tensor) => {
      const clone = this.#tf.keep(tensor.clone())
      own.push(clone)
      return clone
    })
    try {
      while (this.#lastWithVariables !== undefined) await this.#lastWithVariables
      return await call(shared)
    } finally {
      for (const tensor of own) tensor.dispose()
    }
  }

  #waitFor(call: Promise<unknown>): void {
    const ended = call.then(
      () => undefined,
      () => undefined,
    )
    this.#lastWithVariables = ended
    void ended.then(() => {
      if (this.#lastWithVariables === ended) this.#lastWithVariables = undefined
    })
  }

  async #whileUnderWay<T extends TensorTree>(promise: Promise<T>): Promise<T> {
    this.#underWay.add(promise)
    const ended = (): boolean => this.#underWay.delete(promise)
    promise.then(ended, ended)
    // One for each call: what waits for a promise stays with it until it is settled, and most calls are never interrupted.
    const { promise: interrupted, reject } = Promise.withResolvers<never>()
    this.#interruptions.add(reject)
    try {
      return await Promise.race([promise, interrupted])
    } catch (error) {
      // Where the call itself failed, there is nothing to throw away.
      promise.then(disposeTensors, () => undefined)
      throw error
    } finally {
      this.#interruptions.delete(reject)
    }
  }
}
