/** What every numerical engine offers to the rest of the worker. */
import type * as TensorFlow from '@tensorflow/tfjs'
import type { EngineIdentity } from '../../shared/engines.ts'

/** The tfjs module, as every engine hands it out. One process holds one engine, hence one active tfjs backend. */
export type Tfjs = typeof TensorFlow

/** Tensors in arrays and objects, nested as one likes. Declare such types with `type`, not with `interface`. */
export type TensorTree = TensorFlow.Tensor | readonly TensorTree[] | { readonly [name: string]: TensorTree }

/**
 * A pure function from tensors to tensors.
 *
 * The rules hold on every engine, because one that captures graphs replays the kernels of one call (docs/compiled-steps.md):
 * - everything that varies is an input: learning rates, bias corrections, jitter offsets, random numbers, parameters;
 * - no read-back (`data`, `dataSync`, `arraySync`) inside, no Promise, no random operation;
 * - tensors made outside may be used as constants; variables may be read and assigned;
 * - shapes and data types of the inputs may change from call to call; each combination is captured once, so let there be few.
 */
export type Step<I extends TensorTree, O extends TensorTree> = (inputs: I) => O

export interface CompileOptions {
  /** Appears in error messages and statistics. */
  readonly name?: string
  /** Captures tfjs-node's own kernels where the TensorFlow engine has cheaper ones. Default false; no effect on other engines. */
  readonly exact?: boolean
  /** How many combinations of input shapes and data types stay captured; the least recently used goes first. Default 8. */
  readonly maxVariants?: number
  /** Calls of a combination that run operation by operation before it is captured, for steps that may be called only once. Default 0. */
  readonly captureAfter?: number
}

/** One combination of input shapes and data types for which a step was captured. */
export interface StepVariant {
  /** Data types and shapes of the inputs in their order, such as `float32[4,28,28,1] int32[4]`. */
  readonly inputs: string
  readonly operations: number
  readonly constants: number
  /** Tensors and variables from outside the step. */
  readonly captured: number
  readonly definitionBytes: number
  /** Both runs operation by operation, and writing and registering the function. */
  readonly captureMs: number
  readonly calls: number
}

export interface StepStatistics {
  readonly name: string
  readonly calls: number
  /** Wall-clock time of all calls, and of the last one, as seen by the calling thread. */
  readonly totalMs: number
  readonly lastMs: number
  /** Whether calls run as one captured graph; false where the step runs operation by operation. */
  readonly captured: boolean
  /** What is captured now; empty where the step runs operation by operation. */
  readonly variants: readonly StepVariant[]
}

export interface CompiledStep<I extends TensorTree, O extends TensorTree> {
  /**
   * Runs the step once. The inputs stay the caller's; every tensor of the result is a new one that the caller disposes,
   * also where the step returned an input or the same tensor twice. Resolves once the work is enqueued, which on a GPU is before it is done.
   * Inputs may be disposed as soon as the call has been made. Long calls leave the event loop to others where the engine can.
   */
  run(inputs: I): Promise<O>
  stats(): StepStatistics
  /** Frees what the compiled step holds; `run` rejects afterwards. Calls under way still end as usual. */
  dispose(): void
}

export interface EngineMemory {
  /** Bytes that live tensors occupy, where the engine knows them. */
  readonly bytes: number | undefined
  readonly tensors: number
}

export interface Engine {
  readonly identity: EngineIdentity
  /** The tfjs module with this engine's backend active. For everything that is not iterated; what iterates goes through `compile`. */
  readonly tf: Tfjs
  compile<I extends TensorTree, O extends TensorTree>(step: Step<I, O>, options?: CompileOptions): CompiledStep<I, O>
  memory(): EngineMemory
  /** Gives back what is pooled for sizes no longer in use (GPU buffers). Call between images of different sizes and between jobs. */
  trim(): void
  /**
   * Ends the calls of compiled steps that are under way on other threads with 'cancelled', without waiting for them: what they still compute is
   * thrown away, except that variables are assigned when they end. A step that runs operation by operation on the calling thread ends so before its
   * next kernel; who wants to interrupt it is asked by `listenBetweenKernels`.
   */
  interrupt(): void
  /** Shuts the backend down. Tensors are invalid afterwards. */
  dispose(): Promise<void>
}
