/** What tells trees of tensors apart: names, nesting, data types and shapes. */
import type { Tensor } from '@tensorflow/tfjs'
import type { TensorTree } from '../engine.ts'
import { isTensor } from '../tensor-tree.ts'

export interface Signature {
  readonly form: string
  /** Data types and shapes alone, for people. */
  readonly shapes: string
  /** In the order of `tensorsOf`. */
  readonly tensors: Tensor[]
}

export function signatureOf(tree: TensorTree): Signature {
  const tensors: Tensor[] = []
  const shapes: string[] = []
  let form = ''
  const visit = (node: TensorTree): void => {
    if (isTensor(node)) {
      const shape = `${node.dtype}[${node.shape.join()}]`
      tensors.push(node)
      shapes.push(shape)
      form += `${shape} `
    } else if (isList(node)) {
      form += '('
      for (const child of node) visit(child)
      form += ')'
    } else {
      form += '{'
      for (const [name, child] of Object.entries(node)) {
        form += `${name.length}:${name}=`
        visit(child)
      }
      form += '}'
    }
  }
  visit(tree)
  return { form, shapes: shapes.join(' '), tensors }
}

function isList(node: TensorTree): node is readonly TensorTree[] {
  return Array.isArray(node)
}
