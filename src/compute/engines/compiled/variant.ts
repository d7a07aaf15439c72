/** One combination of input shapes for which a step was captured: a function in TensorFlow's context, and how to call it. */
import type { Tensor, Variable } from '@tensorflow/tfjs'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { StepVariant, TensorTree, Tfjs } from '../engine.ts'
import { mapTensors } from '../tensor-tree.ts'
import type { NodeBackend, TensorMetadata } from '../tensorflow-kernels.ts'
import { defineFunction, type FunctionDefinition } from './function-definition.ts'
import type { FoldedTensors } from './folded-tensors.ts'
import { fuse } from './fuse.ts'
import type { OperationList } from './operation-list.ts'
import { ProtobufWriter } from './protobuf.ts'
import { uploadPending } from './tensor-data.ts'
import type { InputValue, RecordedNode, Recording } from './recording.ts'
import { describeOperation, stepRefused } from './refusal.ts'
import { simplify } from './simplify.ts'

/** Calls that last longer than this run on another thread from then on; those that need less than the second number stay on this one. */
const LONG_CALL_MS = 3
const SHORT_CALL_MS = 1.5

/**
 * A ConfigProto: graph_options = 10 { rewrite_options = 10 { disable_meta_optimizer = 19 } }. Grappler's rewriting takes longer than it gains
 * on these graphs, and would change results.
 */
const CONFIG = new ProtobufWriter()
  .message(10, new ProtobufWriter().message(10, new ProtobufWriter().integer(19, 1)))
  .finish()

/** One node after the other: their kernels use all threads anyway, and handing nodes to threads costs more than it gains. */
const EXECUTOR = 'SINGLE_THREADED_EXECUTOR'

let serial = 0

export interface VariantParts {
  readonly tf: Tfjs
  readonly backend: NodeBackend
  readonly operations: OperationList
  readonly folded: FoldedTensors
  /** Whether several operations may become one of the addon's. */
  readonly fused: boolean
  /** The step's name, and the shapes of its inputs, for people. */
  readonly step: string
  readonly shapes: string
  /** `performance.now()` when capturing began. */
  readonly started: number
}

export class Variant<O extends TensorTree> {
  readonly #tf: Tfjs
  readonly #backend: NodeBackend
  readonly #step: string
  readonly #shapes: string
  readonly #name: string
  /** The tensors in it may be disposed: only their places matter. */
  readonly #form: O
  readonly #outputs: number
  readonly #writes: readonly Variable[]
  readonly #captured: readonly { readonly dataId: object; readonly variable: Variable | undefined }[]
  readonly #constants: readonly number[]
  readonly #folded: readonly { readonly key: string; readonly id: number }[]
  readonly #foldedTensors: FoldedTensors
  /** Where the nodes came from, by their names. Stacks are written out only when an error needs them. */
  readonly #places: ReadonlyMap<string, Pick<RecordedNode, 'operation' | 'origin'>>
  readonly #stats: Omit<StepVariant, 'calls'>
  #calls = 0
  #elsewhere = true
  #underWay = 0
  #retired = false

  /** Registers the function. Throws a ConvScopeError where TensorFlow does not accept it. */
  constructor(parts: VariantParts, form: O, inputs: readonly InputValue[], recording: Recording) {
    const { tf, backend, operations, folded, fused, step, shapes, started } = parts
    this.#tf = tf
    this.#backend = backend
    this.#step = step
    this.#shapes = shapes
    this.#name = `convscope_step_${process.pid}_${serial++}`
    this.#form = form
    this.#outputs = recording.results.length + recording.writes.length
    this.#writes = recording.writes.map(({ variable }) => variable)
    const { binding } = backend
    const simple = simplify(recording, folded)
    const definition = this.#register(inputs, fused ? fuse(simple, binding, folded) : simple, operations)
    const { bytes, captured, largeConstants, nodes, constants } = definition
    this.#foldedTensors = folded
    this.#places = new Map([...nodes].map(([node, { operation, origin }]) => [node, { operation, origin }]))
    this.#captured = captured.map(({ dataId, variable }) => ({ dataId, variable }))
    for (const { dataId, variable } of this.#captured) if (!variable) backend.incRef(dataId)
    this.#constants = largeConstants.map(({ shape, dtype, data }) => binding.createTensor([...shape], dtype, data))
    this.#folded = definition.folded.map((value) => ({ key: value.key, id: folded.acquire(value) }))
    this.#stats = {
      inputs: this.#shapes,
      operations: nodes.size,
      constants: constants + largeConstants.length + this.#folded.length,
      captured: captured.length,
      definitionBytes: bytes.length,
      captureMs: performance.now() - started,
    }
  }

  #register(inputs: readonly InputValue[], recording: Recording, operations: OperationList): FunctionDefinition {
    try {
      const definition = defineFunction(this.#name, inputs, recording, operations)
      this.#backend.binding.functions.add(definition.bytes)
      return definition
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw stepRefused(this.#step, reason, 'Use other operations, or report this with the details.')
    }
  }

  /** Whether calls read or assign variables, so that their order matters. */
  get usesVariables(): boolean {
    return this.#writes.length > 0 || this.#captured.some(({ variable }) => variable !== undefined)
  }

  stats(): StepVariant {
    return { ...this.#stats, calls: this.#calls }
  }

  /** The call is made before this returns, so that inputs may be disposed; a Promise where it runs on another thread. */
  call(inputs: readonly Tensor[]): O | Promise<O> {
    const ids = this.#inputIds(inputs)
    this.#calls++
    return this.#elsewhere ? this.#callElsewhere(ids) : this.#callHere(ids)
  }

  #callHere(ids: number[]): O {
    const started = performance.now()
    const { functions } = this.#backend.binding
    let results
    try {
      results = functions.call(this.#name, ids, this.#outputs, EXECUTOR, CONFIG)
    } catch (error) {
      throw this.#explained(error)
    }
    this.#elsewhere = performance.now() - started > LONG_CALL_MS
    return this.#take(results)
  }

  async #callElsewhere(ids: number[]): Promise<O> {
    const started = performance.now()
    const { functions } = this.#backend.binding
    this.#underWay++
    let results
    try {
      results = await functions.start(this.#name, ids, this.#outputs, EXECUTOR, CONFIG)
    } catch (error) {
      throw this.#explained(error)
    } finally {
      this.#underWay--
      if (this.#retired && this.#underWay === 0) this.#free()
    }
    // The first call also makes TensorFlow prepare the function.
    if (this.#calls > 1) this.#elsewhere = performance.now() - started > SHORT_CALL_MS
    return this.#take(results)
  }

  /** Removes the function when no call is under way any more. */
  retire(): void {
    if (this.#retired) return
    this.#retired = true
    if (this.#underWay === 0) this.#free()
  }

  #free(): void {
    const { binding } = this.#backend
    binding.functions.remove(this.#name)
    for (const { dataId, variable } of this.#captured) if (!variable) this.#backend.disposeData(dataId)
    for (const id of this.#constants) binding.deleteTensor(id)
    for (const { key } of this.#folded) this.#foldedTensors.release(key)
  }

  #inputIds(inputs: readonly Tensor[]): number[] {
    const ids = inputs.map(({ dataId }) => this.#idOf(dataId, 'one of its inputs'))
    for (const { dataId, variable } of this.#captured) {
      if (variable?.isDisposed) throw this.#failure(`the variable ${variable.name} that it uses has been disposed`)
      ids.push(this.#idOf(variable?.dataId ?? dataId, 'a tensor that it uses'))
    }
    ids.push(...this.#constants)
    for (const { id } of this.#folded) ids.push(id)
    return ids
  }

  #idOf(dataId: object, what: string): number {
    const { tensorMap, binding } = this.#backend
    if (!tensorMap.has(dataId)) throw this.#failure(`${what} has been disposed`)
    const info = tensorMap.get(dataId)
    uploadPending(binding, info)
    return info.id
  }

  #take(results: readonly TensorMetadata[]): O {
    const tensors = results.map((metadata) => this.#tf.keep(this.#backend.createOutputTensor(metadata)))
    let next = 0
    const take = (): Tensor => {
      const tensor = tensors[next++]
      if (tensor === undefined) throw this.#failure('TensorFlow returned too few tensors')
      return tensor
    }
    const tree = mapTensors(this.#form, take)
    for (const variable of this.#writes) {
      const value = take()
      if (!variable.isDisposed) variable.assign(value)
      value.dispose()
    }
    return tree
  }

  #failure(reason: string): ConvScopeError {
    return new ConvScopeError('internal', `The step ${this.#step} failed: ${reason}`)
  }

  /** TensorFlow names the nodes of the function (`{{node MatMul_12}}`); a reader knows the operation and the line. */
  #explained(error: unknown): ConvScopeError {
    if (error instanceof ConvScopeError) return error
    const message = error instanceof Error ? error.message : String(error)
    const node = [...message.matchAll(/\{\{node (?:[^}]*\/)?([^}/]+)\}\}/g)].map((match) => match[1] ?? '')
    const place = node.map((name) => this.#places.get(name)).find((found) => found !== undefined)
    const first =
      message
        .replace(/^Invalid TF_Status: \d+\s*Message: /, '')
        .replace(/^\{\{function_node [^}]*\}\} /, '')
        .split('\n')[0] ?? message
    const where = place === undefined ? '' : ` in ${describeOperation(place.operation, place.origin)}`
    return new ConvScopeError('internal', `The step ${this.#step} failed${where}: ${first}`, {
      cause: error,
      details: message,
    })
  }
}
