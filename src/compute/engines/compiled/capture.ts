/** Captures a step: two runs operation by operation, compared with one another. */
import type { Tensor } from '@tensorflow/tfjs'
import { callStep } from '../call-step.ts'
import type { Step, TensorTree, Tfjs } from '../engine.ts'
import { disposeTensors, mapTensors, tensorsOf } from '../tensor-tree.ts'
import type { NodeBackend } from '../tensorflow-kernels.ts'
import { requireSameRecording } from './compare-recordings.ts'
import type { OperationList } from './operation-list.ts'
import type { InputValue, Recording } from './recording.ts'
import { stepRefused } from './refusal.ts'
import { signatureOf } from './signature.ts'
import { Recorder } from './recorder.ts'
import { registeredVariables, sharingData } from './tensor-data.ts'

export interface Capture<O extends TensorTree> {
  /** Of the first run, the caller's. Variables hold what this run assigned. */
  readonly result: O
  /** Absent where the run made variables (optimisers make their moments when they are first used): the next one can be captured. */
  readonly recording: Recording | undefined
  readonly inputs: readonly InputValue[]
}

/**
 * Runs the step twice on the same inputs, with variables as they were, and compares what the runs did. Throws what the step throws, and a
 * ConvScopeError where a rule of steps is broken; variables then hold what they held before.
 */
export function captureStep<I extends TensorTree, O extends TensorTree>(
  tf: Tfjs,
  backend: NodeBackend,
  operations: OperationList,
  name: string,
  step: Step<I, O>,
  inputs: I,
): Capture<O> {
  separateVariables(tf, backend)
  const first = runOnce(tf, backend, operations, name, step, inputs)
  if (first.recording.newVariables > 0) {
    first.recorder.forget()
    return { result: first.result, recording: undefined, inputs: first.inputs }
  }
  // What the first run assigned is put back after the second one.
  const assigned = first.recording.writes.map(({ variable }) => ({ variable, tensor: sharingData(tf, variable) }))
  try {
    first.recorder.rollBack()
    const second = runOnce(tf, backend, operations, name, step, inputs)
    const forms = [first.result, second.result].map((tree) => signatureOf(tree).form)
    disposeTensors(second.result)
    second.recorder.rollBack()
    second.recorder.forget()
    requireSameRecording(name, first.recording, second.recording)
    if (forms[0] !== forms[1]) {
      throw stepRefused(name, 'a second run returned other names', 'Return the same form in every call.')
    }
    for (const { variable, tensor } of assigned) variable.assign(tensor)
    return { result: first.result, recording: first.recording, inputs: first.inputs }
  } catch (error) {
    disposeTensors(first.result)
    throw error
  } finally {
    for (const { tensor } of assigned) tensor.dispose()
    first.recorder.forget()
  }
}

function runOnce<I extends TensorTree, O extends TensorTree>(
  tf: Tfjs,
  backend: NodeBackend,
  operations: OperationList,
  name: string,
  step: Step<I, O>,
  inputs: I,
): { recorder: Recorder; recording: Recording; result: O; inputs: InputValue[] } {
  const recorder = new Recorder(tf, backend, name, operations)
  // Handles of their own: one tensor may be given twice, and may be found in the step's surroundings too.
  const fresh = mapTensors(inputs, (tensor) => ownHandle(tf, backend, tensor))
  const flat = tensorsOf(fresh)
  const kept: { result?: O } = {}
  try {
    const recording = recorder.record(flat, () => {
      kept.result = callStep(tf, name, step, fresh)
      return tensorsOf(kept.result)
    })
    if (kept.result === undefined) throw new Error('the step was not run')
    const values = flat.map((tensor, index): InputValue => {
      const { shape, dtype } = backend.tensorMap.get(tensor.dataId)
      return { kind: 'input', index, shape: [...shape], dtype }
    })
    return { recorder, recording, result: kept.result, inputs: values }
  } catch (error) {
    if (kept.result !== undefined) disposeTensors(kept.result)
    recorder.rollBack()
    recorder.forget()
    throw error
  } finally {
    disposeTensors(fresh)
  }
}

/** A second handle on the same memory. */
function ownHandle(tf: Tfjs, backend: NodeBackend, tensor: Tensor): Tensor {
  const { TF_ATTR_TYPE } = backend.binding
  const [id] = backend.getInputTensorIds([tensor])
  const { dtype } = backend.tensorMap.get(tensor.dataId)
  const attributes = [{ name: 'T', type: TF_ATTR_TYPE, value: dtype }]
  const [metadata] = backend.binding.executeOp('Identity', attributes, id === undefined ? [] : [id], 1)
  if (metadata === undefined) throw new Error('TensorFlow returned nothing')
  return tf.keep(backend.createOutputTensor(metadata))
}

/**
 * A variable may share its data with the tensor it was made from. Captured tensors are told apart by their data, so such a variable gets a
 * handle of its own.
 */
function separateVariables(tf: Tfjs, backend: NodeBackend): void {
  for (const variable of registeredVariables(tf)) {
    if (!backend.tensorMap.has(variable.dataId) || backend.refCount(variable.dataId) < 2) continue
    const own = ownHandle(tf, backend, variable)
    variable.assign(own)
    own.dispose()
  }
}
