/** Windows of ONNX's operators: kernels, strides, and the padding that `auto_pad` stands for. */
import { UnsupportedOperator } from '../assembly/network-assembly.ts'
import type { Activation, NodeSite } from './node-site.ts'

/** Top, bottom, left, right. */
export type Four = [number, number, number, number]
export type Pair = [number, number]

/** Explicit amounts, or those that make the output as large as the node says. */
export function transposedPadding(
  site: NodeSite,
  below: Activation,
  kernel: Pair,
  stride: Pair,
  outputPadding: Pair,
): Four {
  const mode = site.text('auto_pad', 'NOTSET')
  const wanted = site.integers('output_shape')
  const [height = 1, width = 1] = below.output.shape
  const inputs = [height, width]
  if (wanted === undefined && (mode === 'NOTSET' || mode === 'VALID'))
    return mode === 'VALID' ? [0, 0, 0, 0] : explicit(site)
  const sides = [0, 1].map((axis): Pair => {
    const [size = 1, step = 1, extra = 0, window = 1] = [inputs[axis], stride[axis], outputPadding[axis], kernel[axis]]
    const output = wanted?.slice(-2)[axis] ?? size * step
    const total = step * (size - 1) + extra + window - output
    if (total < 0) throw new UnsupportedOperator('an output larger than its windows reach')
    const half = Math.floor(total / 2)
    return mode === 'SAME_UPPER' ? [half, total - half] : [total - half, half]
  })
  const [[top, bottom] = [0, 0], [left, right] = [0, 0]] = sides
  return [top, bottom, left, right]
}

/** Down and right. */
export function pair(site: NodeSite, attribute: string, otherwise: number): Pair {
  const values = site.integers(attribute)
  if (values === undefined || values.length === 0) return [otherwise, otherwise]
  const [down = otherwise, right = otherwise, ...more] = values
  if (values.length === 1 || more.length > 0) throw new UnsupportedOperator(`windows along ${values.length} axes`)
  return [down, right]
}

function explicit(site: NodeSite): Four {
  // ONNX lists the beginnings of all axes, then their ends.
  const [top = 0, left = 0, bottom = 0, right = 0] = site.integers('pads') ?? []
  return [top, bottom, left, right]
}

/** Of convolutions and pooling. */
export function paddingOf(
  site: NodeSite,
  below: Activation,
  kernel: Pair,
  stride: Pair,
  dilation: Pair,
): Four | 'same' {
  const mode = site.text('auto_pad', 'NOTSET')
  if (mode === 'NOTSET') return explicit(site)
  if (mode === 'VALID') return [0, 0, 0, 0]
  if (mode === 'SAME_UPPER') return 'same'
  if (mode !== 'SAME_LOWER') throw site.damaged(`auto_pad ${mode} is unknown`)
  const sides = [0, 1].map((axis): Pair => {
    const [size = 1, step = 1, window = 1, spacing = 1] = [
      below.output.shape[axis],
      stride[axis],
      kernel[axis],
      dilation[axis],
    ]
    const total = Math.max((Math.ceil(size / step) - 1) * step + (window - 1) * spacing + 1 - size, 0)
    return [total - Math.floor(total / 2), Math.floor(total / 2)]
  })
  const [[top, bottom] = [0, 0], [left, right] = [0, 0]] = sides
  return [top, bottom, left, right]
}
