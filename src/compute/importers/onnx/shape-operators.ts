/** ONNX's operators that change how values are laid out: flattening, in whichever way it is written, and arithmetic with sizes. */
import { UnsupportedOperator } from '../assembly/network-assembly.ts'
import type { Operator } from './layer-operators.ts'
import { activationOf, axisOf, listOf, type Activation, type NodeSite, type Value } from './node-site.ts'
import { dimsOf, type Constant } from './tensor.ts'
import { sizeOf } from '../../../shared/size-of.ts'

export const shapeOperators: Readonly<Record<string, Operator>> = {
  Identity: passed,
  Cast: passed,
  Constant: constant,
  Flatten: (site) => {
    const below = site.activation()
    const axis = axisOf(site.integer('axis', 1), below.dims.length)
    if (axis !== 1) throw new UnsupportedOperator(`it flattens from axis ${axis}`)
    return flattened(site, below)
  },
  Reshape: reshape,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  ReduceMean: reduceMean,
  Shape: (site) => {
    const { dims } = site.activation()
    const end = site.has('end') ? site.integer('end', dims.length) : dims.length
    return { kind: 'sizes', values: dims.slice(site.integer('start', 0), end) }
  },
  Gather: (site) => {
    const values = sizesOf(site, 0)
    const chosen = sizesOf(site, 1).map((index) => values[axisOf(index, values.length)])
    return { kind: 'sizes', values: chosen.map((value) => value ?? NaN) }
  },
  Slice: (site) => {
    const values = sizesOf(site, 0)
    const [start = 0] = site.settings('starts', 1) ?? []
    const [end = values.length] = site.settings('ends', 2) ?? []
    const [step = 1] = site.inputs[4] === undefined ? [] : listOf(site.inputs[4])
    if (step !== 1) throw new UnsupportedOperator('it takes every second size')
    return { kind: 'sizes', values: values.slice(start, end) }
  },
  ReduceProd: (site) => ({ kind: 'sizes', values: [sizeOf(sizesOf(site, 0))] }),
}

function passed(site: NodeSite): Value {
  const [value] = site.inputs
  if (value === undefined) throw site.damaged('it has no input')
  return value
}

function constant(site: NodeSite): Value {
  const tensor = site.tensor('value')
  if (tensor !== undefined) return tensor
  if (site.has('value_float')) return { kind: 'sizes', values: [site.float('value_float', 0)] }
  if (site.has('value_int')) return { kind: 'sizes', values: [site.integer('value_int', 0)] }
  const list = site.has('value_floats') ? site.floats('value_floats') : site.integers('value_ints')
  if (list === undefined) throw new UnsupportedOperator('a constant of another kind than numbers')
  return { kind: 'sizes', values: list }
}

/** `[batch, everything]`. */
function flattened(site: NodeSite, below: Activation): Activation {
  const order = below.layout === 'hwc' && below.dims.length === 4 ? 'hwc' : 'chw'
  return activationOf(site.assembly.flatten(site.name, below.output, order), 'chw', 2)
}

function reshape(site: NodeSite): Value {
  const [value] = site.inputs
  const target = site.settings('shape', 1)
  if (target === undefined) throw site.damaged('its shape is missing')
  if (value?.kind === 'sizes') return value
  if (value?.kind === 'constant') return reshapedConstant(value, target)
  const below = site.activation()
  const { dims } = below
  const sizes = sizeOf(dims.slice(1))
  const wanted = target.map((size, axis) => (size === 0 ? (dims[axis] ?? 1) : size))
  const [batch = NaN, ...rest] = wanted
  const known = sizeOf(rest.filter((size) => size !== -1))
  const whole = rest.map((size) => (size === -1 ? sizes / known : size))
  const count = sizeOf(whole)
  // The batch may be left open, computed, or the 1 of an export by example; it must stay the batch.
  const batchStays = Number.isNaN(batch) || batch === -1 || batch === 1
  if (!batchStays || count !== sizes) {
    throw new UnsupportedOperator(`it reshapes [${title(dims)}] to [${title(target)}]`)
  }
  if (whole.join() === dims.slice(1).join()) return below
  if (whole.length === 1) return flattened(site, below)
  const [channels = 0, ...places] = whole
  if (below.output.shape.length === 1 && whole.length === 3 && places.every((size) => size === 1)) {
    return { ...below, dims: [NaN, channels, 1, 1], layout: 'chw' }
  }
  throw new UnsupportedOperator(`it reshapes [${title(dims)}] to [${title(target)}], which is not a flattening`)
}

function reshapedConstant(value: Constant, target: readonly number[]): Constant {
  const count = value.values.count
  const known = sizeOf(target.filter((size) => size !== -1))
  const shape = target.map((size) => (size === -1 ? count / known : size))
  const inOrder = value.axes.every((axis, index) => axis === index)
  if (!inOrder || sizeOf(shape) !== count) {
    throw new UnsupportedOperator('it reshapes a transposed constant')
  }
  return { ...value, shape, axes: shape.map((_, axis) => axis) }
}

function squeeze(site: NodeSite): Value {
  const [value] = site.inputs
  if (value?.kind === 'sizes') return value
  if (value?.kind === 'constant')
    return reshapedConstant(
      value,
      dimsOf(value).filter((size) => size !== 1),
    )
  const below = site.activation()
  const axes = site.settings('axes', 1)?.map((axis) => axisOf(axis, below.dims.length))
  const rest = below.dims.filter((size, axis) => (axes === undefined ? size !== 1 : !axes.includes(axis)))
  if (rest.length !== 2 || !Number.isNaN(rest[0])) throw new UnsupportedOperator('it leaves no batch of units')
  return flattened(site, below)
}

function unsqueeze(site: NodeSite): Value {
  const [value] = site.inputs
  if (value?.kind === 'sizes') return value
  const axes = site.settings('axes', 1) ?? []
  if (value?.kind === 'constant') {
    const dims = dimsOf(value)
    const rank = dims.length + axes.length
    const placed = new Set(axes.map((axis) => axisOf(axis, rank)))
    let next = 0
    return reshapedConstant(
      value,
      Array.from({ length: rank }, (_, axis) => (placed.has(axis) ? 1 : (dims[next++] ?? 1))),
    )
  }
  const below = site.activation()
  const places = axes.map((axis) => axisOf(axis, below.dims.length + axes.length)).sort((a, b) => a - b)
  if (below.dims.length !== 2 || places.join() !== '2,3')
    throw new UnsupportedOperator('it makes no picture of one place')
  return activationOf(below.output, 'chw', 4)
}

function transpose(site: NodeSite): Value {
  const [value] = site.inputs
  if (value?.kind === 'constant') {
    const rank = value.axes.length
    const order = site.integers('perm') ?? value.axes.map((_, axis) => rank - 1 - axis)
    if ([...order].sort((a, b) => a - b).some((axis, index) => axis !== index) || order.length !== rank) {
      throw site.damaged(`perm [${order.join(', ')}] is no order of ${rank} axes`)
    }
    return { ...value, axes: order.map((axis) => value.axes[axis] ?? 0) }
  }
  const below = site.activation()
  const order = (site.integers('perm') ?? []).join()
  if (order === below.dims.map((_, axis) => axis).join()) return below
  if (order === '0,2,3,1' && below.layout === 'chw') return activationOf(below.output, 'hwc', 4)
  if (order === '0,3,1,2' && below.layout === 'hwc') return activationOf(below.output, 'chw', 4)
  throw new UnsupportedOperator(`it brings the axes into the order ${order || 'of the reverse'}`)
}

function reduceMean(site: NodeSite): Value {
  const below = site.activation()
  const rank = below.dims.length
  const axes = (site.settings('axes', 1) ?? []).map((axis) => axisOf(axis, rank)).sort((a, b) => a - b)
  if (rank !== 4 || axes.join() !== (below.layout === 'chw' ? '2,3' : '1,2')) {
    throw new UnsupportedOperator(`the mean along axes ${axes.join(', ')}`)
  }
  const output =
    below.output.shape.length === 1
      ? below.output
      : site.assembly.add(site.name, { type: 'global-avg-pool' }, [below.output])
  const kept = site.integer('keepdims', 1) === 1
  return activationOf(output, kept ? below.layout : 'chw', kept ? 4 : 2)
}

function sizesOf(site: NodeSite, index: number): readonly number[] {
  const value = site.inputs[index]
  if (value === undefined) throw site.damaged(`its input ${index + 1} is missing`)
  return listOf(value)
}

function title(sizes: readonly number[]): string {
  return sizes.map((size) => (Number.isNaN(size) ? 'batch' : size)).join(', ')
}
