/** Products with large matrices that never change leave out the lines that count for nothing: those of a 0 before them or of a mask behind them. */
import type { NodeBinding } from '../tensorflow-kernels.ts'
import { FEW_ROWS, fewRowsNumbers, ownAttributes } from '../tensorflow-own-operations.ts'
import type { FoldedTensors } from './folded-tensors.ts'
import { onlyUsers } from './fuse-convolutions.ts'
import { OperationGroups } from './operation-groups.ts'
import { rewrite, type Rewritten } from './rewrite.ts'
import { TENSORFLOW_TYPES, type FixedValue, type RecordedNode, type Recording, type Value } from './recording.ts'
import { isFixed } from './simplify.ts'

type Binding = Pick<NodeBinding, 'TF_ATTR_INT'>

/**
 * The same step with the same results, except that the products with a 0 of lines that are left out are taken for 0: which they are, because every
 * number of these matrices was found to be finite.
 */
export function fuseFewRows(recording: Recording, binding: Binding, folded: FoldedTensors): Recording {
  const onlyUser = onlyUsers(recording)
  return rewrite(recording, new OperationGroups(recording).inOrder(), ({ members: [node] }): Rewritten | undefined => {
    const [rows, matrix] = node?.inputs ?? []
    if (node?.operation !== FEW_ROWS || rows === undefined || matrix === undefined || !isFixed(matrix)) return undefined
    const [lines = 0, columns = 0] = matrix.shape
    const [count = 0, width = 0] = node.outputs[0]?.shape ?? []
    const transposed = node.attributes.some(({ name, value }) => name === 'numbers' && (value as number[])[6] === 1)
    const mask = transposed ? maskOf(node, onlyUser.get(node)) : undefined
    if (transposed && (mask === undefined || mask.shape.join() !== [count, width].join())) return undefined
    const numbers = fewRowsNumbers(count, [lines, columns], transposed, true)
    if (numbers === undefined || !isFinite(matrix, binding, folded)) return undefined
    const inputs = [rows, matrix, ...(mask === undefined ? [] : [mask])]
    return { node: { ...node, inputs, attributes: ownAttributes(binding, inputs.length, numbers) }, outputs: [node] }
  })
}

/** What a result is masked by: `y` where all that is done with it is a product with the cast of y > 0, as the gradient of a ReLU is. */
function maskOf(node: RecordedNode, user: RecordedNode | undefined): Value | undefined {
  const isOwn = (value: Value | undefined): boolean => value?.kind === 'result' && value.node === node
  const [first, second] = user?.inputs ?? []
  if (user?.operation === 'ReluGrad') return isOwn(first) && !isOwn(second) ? second : undefined
  if (user?.operation !== 'Mul') return undefined
  const greater = sourceOf(isOwn(first) ? second : first, 'Cast')?.inputs[0]
  const [y, limit] = sourceOf(greater, 'Greater')?.inputs ?? []
  const isZero = limit?.kind === 'constant' && limit.data.length === 1 && limit.data[0] === 0
  return isZero && !isOwn(y) ? y : undefined
}

function sourceOf(value: Value | undefined, operation: string): RecordedNode | undefined {
  return value?.kind === 'result' && value.node.operation === operation ? value.node : undefined
}

/** Whether zeros times the matrix are zeros: they would not be with infinity or with what is no number. */
function isFinite(matrix: FixedValue, binding: Binding, folded: FoldedTensors): boolean {
  const [lines = 0, columns = 0] = matrix.shape
  const numbers = fewRowsNumbers(1, [lines, columns], false)
  if (numbers === undefined) return false
  const [dtype, shape] = [TENSORFLOW_TYPES.float32, [1, lines]]
  const zeros: FixedValue = {
    kind: 'constant',
    index: 0,
    dtype,
    shape,
    data: new Float32Array(lines),
    origin: undefined,
  }
  const outputs = [{ dtype, shape: [1, columns] }]
  const node: RecordedNode = {
    index: 0,
    operation: FEW_ROWS,
    attributes: ownAttributes(binding, 2, numbers),
    inputs: [zeros, matrix],
    outputs,
    origin: undefined,
  }
  const key = `zeros times ${folded.keyOf(matrix)}`
  const products = folded.read({ kind: 'folded', key, node, output: 0, dtype, shape: [1, columns] })
  return products !== undefined && products.every((product) => product === 0)
}
