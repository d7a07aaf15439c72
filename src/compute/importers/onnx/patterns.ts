/** Activations that ONNX writes as several nodes: x·sigmoid(x), the exact GELU, and a matrix product with the sum after it. */
import type { LayerDraft } from '../assembly/network-assembly.ts'
import type { GraphProto, NodeProto } from './schema.ts'

export interface Patterns {
  /** Nodes whose work another one does. */
  readonly absorbed: ReadonlySet<NodeProto>
  /** The last node of a pattern: the value it starts from, and the layer that all its nodes together are. */
  readonly layers: ReadonlyMap<NodeProto, { readonly from: string; readonly draft: LayerDraft }>
  /** Matrix products with the sum that alone reads them, and the sum's other term. */
  readonly sums: ReadonlyMap<NodeProto, { readonly sum: NodeProto; readonly bias: string }>
}

/** @param constant the single number of a constant of the graph; undefined for other values */
export function findPatterns(graph: GraphProto, constant: (name: string) => number | undefined): Patterns {
  const producers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)))
  const readers = new Map<string, NodeProto[]>()
  for (const node of graph.node) {
    for (const name of node.input) {
      const known = readers.get(name)
      if (known === undefined) readers.set(name, [node])
      else known.push(node)
    }
  }
  const outputs = new Set(graph.output.map(({ name }) => name))
  /** The node that alone reads a value. */
  const soleReader = (name: string | undefined): NodeProto | undefined => {
    const found = readers.get(name ?? '') ?? []
    return found.length === 1 && !outputs.has(name) ? found[0] : undefined
  }
  const other = (node: NodeProto, name: string | undefined): string | undefined =>
    node.input.find((input) => input !== name)

  const absorbed = new Set<NodeProto>()
  const layers = new Map<NodeProto, { from: string; draft: LayerDraft }>()
  const sums = new Map<NodeProto, { sum: NodeProto; bias: string }>()

  for (const node of graph.node) {
    const [output] = node.output
    if (node.op_type === 'Sigmoid') {
      const [from = ''] = node.input
      const product = soleReader(output)
      if (product?.op_type === 'Mul' && other(product, output) === from) {
        absorbed.add(node)
        layers.set(product, { from, draft: { type: 'silu' } })
      }
    } else if (node.op_type === 'Erf') {
      const chain = gelu(node)
      const last = chain?.nodes.at(-1)
      if (chain === undefined || last === undefined) continue
      for (const part of chain.nodes) if (part !== last) absorbed.add(part)
      layers.set(last, { from: chain.from, draft: { type: 'gelu', approximation: 'none' } })
    } else if (node.op_type === 'MatMul') {
      const sum = soleReader(output)
      const bias = sum && other(sum, output)
      if (sum?.op_type === 'Add' && bias !== undefined && !producers.has(bias)) {
        absorbed.add(sum)
        sums.set(node, { sum, bias })
      }
    }
  }
  return { absorbed, layers, sums }

  /** x / √2 → erf → + 1 → · x → · ½ */
  function gelu(erf: NodeProto): { from: string; nodes: NodeProto[] } | undefined {
    const scaled = producers.get(erf.input[0] ?? '')
    const [from = '', divisor = ''] = scaled?.input ?? []
    if (scaled?.op_type !== 'Div' || !near(constant(divisor), Math.SQRT2)) return undefined
    const plusOne = soleReader(erf.output[0])
    if (plusOne?.op_type !== 'Add' || !near(constant(other(plusOne, erf.output[0]) ?? ''), 1)) return undefined
    const product = soleReader(plusOne.output[0])
    if (product?.op_type !== 'Mul' || other(product, plusOne.output[0]) !== from) return undefined
    const half = soleReader(product.output[0])
    if (half?.op_type !== 'Mul' || !near(constant(other(half, product.output[0]) ?? ''), 0.5)) return undefined
    if (soleReader(scaled.output[0]) !== erf) return undefined
    return { from, nodes: [scaled, erf, plusOne, product, half] }
  }
}

function near(value: number | undefined, expected: number): boolean {
  return value !== undefined && Math.abs(value - expected) < 1e-4
}
