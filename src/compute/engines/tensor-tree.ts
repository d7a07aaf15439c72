/** Walking tensors nested in arrays and objects. */
import type { Tensor } from '@tensorflow/tfjs'
import type { TensorTree } from './engine.ts'

/** Told by what a tensor is made of, not by its class: several copies of tfjs-core may be loaded. */
export function isTensor(value: unknown): value is Tensor {
  return typeof value === 'object' && value !== null && 'dataId' in value && 'shape' in value && 'dtype' in value
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/**
 * A tree of the same form with every tensor replaced by `replace(tensor, path)`, depth first, keys in their own order.
 * Throws a TypeError that names the place of anything that is neither a tensor, an array nor a plain object.
 */
export function mapTensors<T extends TensorTree>(tree: T, replace: (tensor: Tensor, path: string) => Tensor): T {
  const visit = (node: unknown, path: string): unknown => {
    if (isTensor(node)) return replace(node, path)
    if (Array.isArray(node)) return node.map((child, index) => visit(child, `${path}[${index}]`))
    if (typeof node === 'object' && node !== null && isPlainObject(node)) {
      return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, visit(child, `${path}.${name}`)]))
    }
    const kind = node instanceof Promise ? 'a Promise' : node === null ? 'null' : typeof node
    throw new TypeError(`${path} is ${kind}, not a tensor`)
  }
  return visit(tree, 'result') as T
}

/** All tensors of a tree in the order of `mapTensors`. */
export function tensorsOf(tree: TensorTree): Tensor[] {
  const found: Tensor[] = []
  mapTensors(tree, (tensor) => {
    found.push(tensor)
    return tensor
  })
  return found
}

/** Disposes every tensor of a tree; a tensor met twice or disposed before is left alone. */
export function disposeTensors(tree: TensorTree): void {
  for (const tensor of tensorsOf(tree)) if (!tensor.isDisposed) tensor.dispose()
}
