/** A layered drawing of a network: ranks from the top down, branches beside each other, long edges around what they skip. */
import type { LayerPage } from '../../../shared/network/page.ts'

export interface GraphBox {
  /** The layers drawn as one: a convolution with what follows it place by place. */
  readonly layers: readonly [LayerPage, ...LayerPage[]]
  readonly rank: number
  /** Place of the centre; boxes of one rank are at least 1 apart. */
  readonly x: number
}

/** Between boxes, which go by the names of their first layers. */
export interface GraphEdge {
  readonly from: string
  readonly to: string
  /** From box to box, one point a rank. */
  readonly points: readonly { readonly x: number; readonly rank: number }[]
}

export interface LayerGraph {
  readonly boxes: readonly GraphBox[]
  readonly edges: readonly GraphEdge[]
  readonly ranks: number
  /** Smallest and largest place of a centre. */
  readonly left: number
  readonly right: number
}

/** Layers that work place by place: drawn in the box of the layer before them. */
const FOLLOWERS = new Set([
  'relu',
  'leaky-relu',
  'relu6',
  'elu',
  'silu',
  'gelu',
  'sigmoid',
  'tanh',
  'batch-norm',
  'dropout',
  'softmax',
])

interface Node {
  /** Undefined for the place where an edge passes a rank. */
  readonly layers: [LayerPage, ...LayerPage[]] | undefined
  rank: number
  x: number
  readonly above: Node[]
  readonly below: Node[]
}

const SWEEPS = 6
/** Room of a passing edge, in widths of a box. */
const EDGE_ROOM = 0.3

/** @param layers in an order in which every layer stands after its inputs */
export function layOutLayers(layers: readonly LayerPage[]): LayerGraph {
  const nodes = boxesOf(layers)
  const edges = nodes.flatMap((node) => node.above.map((from) => ({ from, to: node })))
  const ranks = Math.max(0, ...nodes.map(({ rank }) => rank)) + 1
  const rows: Node[][] = Array.from({ length: ranks }, () => [])
  for (const node of nodes) rows[node.rank]?.push(node)
  const routes = edges.map(({ from, to }) => route(from, to, rows))
  for (let sweep = 0; sweep < SWEEPS; sweep++) order(rows, sweep % 2 === 0)
  for (const row of rows) spread(row, (_, index) => index)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const down = sweep % 2 === 0
    for (const row of down ? rows : rows.toReversed())
      spread(row, (node) => middleOf(down ? node.above : node.below) ?? node.x)
  }
  const drawn = nodes.flatMap(({ layers: own, rank, x }) => (own ? [{ layers: own, rank, x }] : []))
  const places = rows.flat().map(({ x }) => x)
  return {
    boxes: drawn,
    edges: routes.map((nodesOfEdge, index) => ({
      from: nameOf(edges[index]?.from),
      to: nameOf(edges[index]?.to),
      points: nodesOfEdge.map(({ x, rank }) => ({ x, rank })),
    })),
    ranks,
    left: Math.min(0, ...places),
    right: Math.max(0, ...places),
  }
}

function nameOf(node: Node | undefined): string {
  return node?.layers?.[0].name ?? ''
}

/** One node a box, with its rank: one below the lowest of its inputs. */
function boxesOf(layers: readonly LayerPage[]): Node[] {
  const uses = new Map<string, number>()
  for (const { inputs } of layers) for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1)
  const byLayer = new Map<string, Node>()
  const nodes: Node[] = []
  for (const layer of layers) {
    const [only] = layer.inputs
    const before = layer.inputs.length === 1 && only !== undefined ? byLayer.get(only) : undefined
    const isInput = before?.layers?.[0].type === 'input'
    if (before && only !== undefined && !isInput && FOLLOWERS.has(layer.type) && uses.get(only) === 1) {
      before.layers?.push(layer)
      byLayer.set(layer.name, before)
      continue
    }
    const above = layer.inputs.flatMap((name) => byLayer.get(name) ?? [])
    const rank = Math.max(-1, ...above.map((node) => node.rank)) + 1
    const node: Node = { layers: [layer], rank, x: 0, above: [...new Set(above)], below: [] }
    for (const input of node.above) input.below.push(node)
    byLayer.set(layer.name, node)
    nodes.push(node)
  }
  return nodes
}

/** The nodes of an edge, with one in every rank that it passes. */
function route(from: Node, to: Node, rows: Node[][]): Node[] {
  const path = [from]
  for (let rank = from.rank + 1; rank < to.rank; rank++) {
    const passing: Node = { layers: undefined, rank, x: 0, above: [], below: [] }
    rows[rank]?.push(passing)
    path.push(passing)
  }
  path.push(to)
  if (path.length > 2) {
    from.below.splice(from.below.indexOf(to), 1)
    to.above.splice(to.above.indexOf(from), 1)
    path.forEach((node, index) => {
      const next = path[index + 1]
      if (!next) return
      node.below.push(next)
      next.above.push(node)
    })
  }
  return path
}

/** Sorts every row by the middle of its neighbours' places in the row before it. */
function order(rows: readonly Node[][], down: boolean): void {
  for (const row of down ? rows : rows.toReversed()) {
    const wanted = new Map(row.map((node, index) => [node, middleOf(down ? node.above : node.below) ?? index]))
    row.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0))
    row.forEach((node, index) => (node.x = index))
  }
}

/** Puts the nodes of a row as near to where they want to be as their order and their sizes allow. */
function spread(row: readonly Node[], wanted: (node: Node, index: number) => number): void {
  const wishes = row.map(wanted)
  let last: number | undefined
  let shift = 0
  row.forEach((node, index) => {
    const wish = wishes[index] ?? 0
    const before = row[index - 1]
    node.x = last === undefined || !before ? wish : Math.max(wish, last + (room(before) + room(node)) / 2)
    last = node.x
    shift += wish - node.x
  })
  if (row.length > 0) for (const node of row) node.x += shift / row.length
}

function room(node: Node): number {
  return node.layers ? 1 : EDGE_ROOM
}

function middleOf(nodes: readonly Node[]): number | undefined {
  if (nodes.length === 0) return undefined
  return nodes.reduce((sum, { x }) => sum + x, 0) / nodes.length
}
