/** Watches the kernels of TensorFlow's backend while a step runs operation by operation. */
import type { Tensor, Variable } from '@tensorflow/tfjs'
import type { Tfjs } from '../engine.ts'
import type { NodeBackend, NodeBinding, OperationAttribute, TensorMetadata } from '../tensorflow-kernels.ts'
import type { OperationList } from './operation-list.ts'
import { READS_TO_CHECK, SHAPES_FROM_VALUES } from './operation-rules.ts'
import {
  type CapturedValue,
  type ConstantValue,
  type InputValue,
  type RecordedNode,
  type Recording,
  type Value,
  isConstantData,
} from './recording.ts'
import { registeredVariables, sharingData, uploadPending } from './tensor-data.ts'
import { describeOperation, describeOrigin, stepRefused, traceAbove, type Origin } from './refusal.ts'

const FRAMES_KEPT = 40

export class Recorder {
  readonly #tf: Tfjs
  readonly #backend: NodeBackend
  readonly #binding: NodeBinding
  readonly #step: string
  readonly #operations: OperationList
  /** By the binding's tensor numbers, which are never used twice. */
  readonly #values = new Map<number, Value>()
  readonly #nodes: RecordedNode[] = []
  readonly #constants: ConstantValue[] = []
  readonly #captured: CapturedValue[] = []
  /** Data that the step itself made from JavaScript values. */
  readonly #made = new WeakMap<object, Origin | undefined>()
  readonly #variables = new Map<object, Variable>()
  /** What each assigned variable held before, as tensors that share its data. */
  readonly #before = new Map<Variable, Tensor>()
  readonly #kernels: string[] = []
  #origin: Origin | undefined
  #newVariables = 0
  #refusal: Error | undefined

  constructor(tf: Tfjs, backend: NodeBackend, step: string, operations: OperationList) {
    this.#tf = tf
    this.#backend = backend
    this.#binding = backend.binding
    this.#step = step
    this.#operations = operations
  }

  /**
   * Runs `body` with `inputs` as inputs and returns what happened; `body` returns the tensors that are the results. Everything is put back
   * afterwards, also after an error. Throws what `body` throws, or a ConvScopeError that names the operation and the line where the
   * step breaks a rule.
   */
  record(inputs: readonly Tensor[], body: () => readonly Tensor[]): Recording {
    for (const [index, tensor] of inputs.entries()) {
      const { id, shape, dtype } = this.#backend.tensorMap.get(tensor.dataId)
      const value: InputValue = { kind: 'input', index, shape: [...shape], dtype }
      this.#values.set(id, value)
    }
    for (const variable of registeredVariables(this.#tf)) this.#variables.set(variable.dataId, variable)
    const restore = this.#watch()
    try {
      const results = body()
      if (this.#refusal !== undefined) throw this.#refusal
      return {
        nodes: this.#nodes,
        constants: this.#constants,
        captured: this.#captured,
        results: results.map((tensor) => this.#valueOf(tensor)),
        writes: [...this.#before.keys()]
          .filter((variable) => !variable.isDisposed)
          .map((variable) => ({ variable, value: this.#valueOf(variable) })),
        newVariables: this.#newVariables,
      }
    } catch (error) {
      // The step may have caught the refusal, or failed in another way because of it.
      throw this.#refusal ?? error
    } finally {
      restore()
    }
  }

  /** Gives every assigned variable back what it held before the recording. */
  rollBack(): void {
    for (const [variable, tensor] of this.#before) if (!variable.isDisposed) variable.assign(tensor)
  }

  /** Frees what `rollBack` needs. */
  forget(): void {
    for (const tensor of this.#before.values()) tensor.dispose()
    this.#before.clear()
  }

  #valueOf(tensor: Tensor): Value {
    const [id] = this.#backend.getInputTensorIds([tensor])
    const value = id === undefined ? undefined : this.#values.get(id)
    if (value === undefined) throw new Error(`the recorder lost a tensor of shape [${tensor.shape.join()}]`)
    return value
  }

  #refuse(reason: string, remedy: string): never {
    this.#refusal ??= stepRefused(this.#step, reason, remedy)
    throw this.#refusal
  }

  #refuseReading(reader: (...call: never[]) => unknown): never {
    const what = this.#kernels.at(-1) ?? 'data, dataSync, array or print'
    const origin: Origin = {
      kernel: what,
      trace: this.#kernels.length > 0 && this.#origin ? this.#origin.trace : traceAbove(reader),
    }
    this.#refuse(
      `it reads values of a tensor in ${describeOrigin(origin)}`,
      'Return the tensor and read it outside the step; values are not known when a step is captured.',
    )
  }

  #watch(): () => void {
    const tf = this.#tf
    const backend = this.#backend
    const engine = tf.engine()
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = FRAMES_KEPT
    const variableClass = tf.Variable.prototype
    const assign = Object.getOwnPropertyDescriptor(variableClass, 'assign')
    if (assign === undefined) throw new Error('tfjs variables have no method assign')

    const { runKernel, makeVariable } = engine
    const { getInputTensorIds, move, readSync, binding } = backend
    engine.runKernel = <T>(...call: Parameters<typeof runKernel>): T => {
      if (this.#kernels.length === 0) this.#origin = { kernel: call[0], trace: traceAbove(engine.runKernel) }
      this.#kernels.push(call[0])
      try {
        return runKernel.apply(engine, call) as T
      } finally {
        this.#kernels.pop()
      }
    }
    engine.makeVariable = (...call) => {
      this.#newVariables++
      return makeVariable.apply(engine, call)
    }
    backend.binding = this.#watchedBinding()
    backend.move = (...call) => {
      this.#made.set(call[0], { kernel: 'tensor', trace: traceAbove(backend.move) })
      move.apply(backend, call)
    }
    backend.getInputTensorIds = (tensors) => tensors.flatMap((tensor) => this.#idsOf(tensor, getInputTensorIds))
    backend.readSync = (dataId) => {
      const { values } = backend.tensorMap.get(dataId)
      const constant = values !== null && this.#made.has(dataId)
      if (!constant && !READS_TO_CHECK.has(this.#kernels.at(-1) ?? '')) this.#refuseReading(backend.readSync)
      return readSync.call(backend, dataId)
    }
    // Never settles: a rejection that the step does not await would bring the process down. The refusal is thrown when the step is over.
    backend.read = () => {
      try {
        this.#refuseReading(backend.read)
      } catch {
        return new Promise(() => undefined)
      }
    }
    const before = this.#before
    Object.defineProperty(variableClass, 'assign', {
      ...assign,
      value(this: Variable, value: Tensor) {
        if (!before.has(this)) before.set(this, sharingData(tf, this))
        ;(assign.value as (this: Variable, value: Tensor) => void).call(this, value)
      },
    })
    return () => {
      Object.defineProperty(variableClass, 'assign', assign)
      backend.binding = binding
      for (const name of ['getInputTensorIds', 'move', 'readSync', 'read']) Reflect.deleteProperty(backend, name)
      for (const name of ['runKernel', 'makeVariable']) Reflect.deleteProperty(engine, name)
      Error.stackTraceLimit = limit
    }
  }

  /** The binding's members are read-only, so an object in front of it takes the calls that matter. */
  #watchedBinding(): NodeBinding {
    const binding = this.#binding
    const members: Pick<NodeBinding, 'createTensor' | 'executeOp' | 'tensorDataSync' | 'runSavedModel'> = {
      createTensor: (shape, dtype, data) => {
        const id = binding.createTensor(shape, dtype, data)
        this.#constant(id, shape, dtype, data)
        return id
      },
      executeOp: (name, attributes, inputs, count) => {
        this.#requireCapturable(name)
        const outputs = binding.executeOp(name, attributes, inputs, count)
        this.#node(name, attributes, inputs, outputs)
        return outputs
      },
      tensorDataSync: (id) => {
        const constant = this.#values.get(id)?.kind === 'constant'
        if (!constant && !READS_TO_CHECK.has(this.#kernels.at(-1) ?? '')) this.#refuseReading(members.tensorDataSync)
        return binding.tensorDataSync(id)
      },
      runSavedModel: () =>
        this.#refuse('it runs a SavedModel', 'Run SavedModels outside steps, and pass their results as inputs.'),
    }
    const descriptors = Object.entries(members).map(([name, value]) => [name, { value }] as const)
    return Object.create(binding, Object.fromEntries(descriptors)) as NodeBinding
  }

  #idsOf(tensor: Tensor, getInputTensorIds: NodeBackend['getInputTensorIds']): number[] {
    const backend = this.#backend
    // Int64Scalar, which tfjs-node uses for a few arguments, is no tensor and becomes a constant.
    if (!('dataId' in tensor)) return getInputTensorIds.call(backend, [tensor])
    const info = backend.tensorMap.get(tensor.dataId)
    if (info.values !== null && !this.#made.has(tensor.dataId)) uploadPending(this.#binding, info)
    const ids = getInputTensorIds.call(backend, [tensor])
    for (const id of ids) if (!this.#values.has(id)) this.#capture(id, tensor, info)
    return ids
  }

  #capture(id: number, tensor: Tensor, { shape, dtype }: TensorMetadata): void {
    const value: CapturedValue = {
      kind: 'captured',
      index: this.#captured.length,
      shape: [...shape],
      dtype,
      dataId: tensor.dataId,
      variable: this.#variables.get(tensor.dataId),
      origin: this.#origin,
    }
    this.#captured.push(value)
    this.#values.set(id, value)
  }

  #constant(id: number, shape: readonly number[], dtype: number, data: unknown): void {
    if (!isConstantData(data)) {
      this.#refuse(
        `it makes a tensor of strings for ${describeOrigin(this.#origin)}`,
        'Work with strings outside the step.',
      )
    }
    const value: ConstantValue = {
      kind: 'constant',
      index: this.#constants.length,
      shape: [...shape],
      dtype,
      data,
      origin: this.#origin,
    }
    this.#constants.push(value)
    this.#values.set(id, value)
  }

  #describe(operation: string): string {
    return describeOperation(operation, this.#origin)
  }

  #requireCapturable(name: string): void {
    const operation = this.#operations.get(name)
    if (operation === undefined) {
      this.#refuse(`TensorFlow's library has no operation ${this.#describe(name)}`, 'Use another operation.')
    }
    if (operation.stateful) {
      this.#refuse(
        `${this.#describe(name)} keeps state or is random`,
        'Make random numbers outside the step and pass them as inputs.',
      )
    }
    if (SHAPES_FROM_VALUES.has(name)) {
      this.#refuse(
        `the shape of what ${this.#describe(name)} returns depends on values`,
        'Run this operation outside the step and pass its result as an input.',
      )
    }
  }

  #node(
    operation: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly number[],
    outputs: readonly TensorMetadata[],
  ): void {
    const node: RecordedNode = {
      index: this.#nodes.length,
      operation,
      attributes,
      inputs: inputs.map((id) => {
        const value = this.#values.get(id)
        if (value === undefined) throw new Error(`the recorder does not know an input of ${operation}`)
        return value
      }),
      outputs: outputs.map(({ dtype, shape }) => ({ dtype, shape: [...shape] })),
      origin: this.#origin,
    }
    this.#nodes.push(node)
    for (const [output, { id, dtype, shape }] of outputs.entries())
      this.#values.set(id, { kind: 'result', node, output, dtype, shape: [...shape] })
  }
}
