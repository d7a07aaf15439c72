/** Programs for the addon's elementwise kernel: what its list of numbers means is said in native/elementwise-kernel.cc. */
import type { RecordedNode, ResultValue, Value } from './recording.ts'
import { TENSORFLOW_TYPES } from './recording.ts'
import { sizeOf } from '../../../shared/size-of.ts'

/** In the order of `Elementary` in native/vector-loops.h. They give the same bits as in TensorFlow; others are left to it. */
const ELEMENTARY = [
  ['Add', 'AddV2'],
  ['Sub'],
  ['Mul'],
  ['RealDiv'],
  ['Maximum'],
  ['Minimum'],
  ['Neg'],
  ['Square'],
  ['Sqrt'],
  ['Abs'],
  ['Relu'],
  ['ReluGrad'],
  ['TanhGrad'],
] as const
const PLACES: ReadonlyMap<string, number> = new Map(
  ELEMENTARY.flatMap((names, place) => names.map((name) => [name, place] as const)),
)

const SPREADS = { whole: 0, scalar: 1, columns: 2, rows: 3 } as const
type Spread = keyof typeof SPREADS

/** The shape of what a node computes, seen as rows × columns where an operand is repeated along one of them. */
export interface ElementwiseSpace {
  readonly shape: readonly number[]
  readonly columns: number | undefined
}

/** How an operand is spread over `shape`, and the columns that this asks for; undefined where neither rows nor columns will do. */
function spreadOf(
  operand: readonly number[],
  shape: readonly number[],
): { spread: Spread; columns?: number } | undefined {
  const size = sizeOf(operand)
  const aligned = [...Array<number>(Math.max(0, shape.length - operand.length)).fill(1), ...operand]
  if (aligned.length > shape.length) return undefined
  if (aligned.every((length, axis) => length === shape[axis])) return { spread: 'whole' }
  if (size === 1) return { spread: 'scalar' }
  const first = aligned.findIndex((length) => length !== 1)
  const last = aligned.findLastIndex((length) => length !== 1)
  const agrees = (from: number, to: number): boolean =>
    aligned.slice(from, to).every((length, index) => length === shape[from + index])
  if (agrees(first, shape.length)) return { spread: 'columns', columns: size }
  if (agrees(0, last + 1)) return { spread: 'rows', columns: sizeOf(shape.slice(last + 1)) }
  return undefined
}

/** Undefined for nodes that cannot be part of a program. */
export function elementwiseSpace(node: RecordedNode): ElementwiseSpace | undefined {
  const [output] = node.outputs
  if (!PLACES.has(node.operation) || output?.dtype !== TENSORFLOW_TYPES.float32 || sizeOf(output.shape) === 0)
    return undefined
  let columns: number | undefined
  for (const { dtype, shape } of node.inputs) {
    const spread = spreadOf(shape, output.shape)
    if (dtype !== TENSORFLOW_TYPES.float32 || spread === undefined) return undefined
    if (spread.columns === undefined) continue
    if (columns !== undefined && columns !== spread.columns) return undefined
    columns = spread.columns
  }
  return { shape: output.shape, columns }
}

/** Undefined where the two have no common view. */
export function commonSpace(a: ElementwiseSpace, b: ElementwiseSpace): ElementwiseSpace | undefined {
  if (a.shape.join() !== b.shape.join()) return undefined
  if (a.columns !== undefined && b.columns !== undefined && a.columns !== b.columns) return undefined
  return a.columns === undefined ? b : a
}

export interface ElementwiseProgram {
  readonly numbers: readonly number[]
  readonly inputs: readonly Value[]
  /** Members whose results are the outputs, in their order. */
  readonly outputs: readonly RecordedNode[]
}

/** `members` in an order in which they can be computed; `isOutput` says which results are needed outside. */
export function elementwiseProgram(
  { shape, columns = 1 }: ElementwiseSpace,
  members: readonly RecordedNode[],
  isOutput: (member: RecordedNode) => boolean,
): ElementwiseProgram {
  const inside = new Set(members)
  const isInside = (value: Value): value is ResultValue => value.kind === 'result' && inside.has(value.node)
  const inputs: Value[] = []
  /** Results of one operation are different objects wherever they were replaced. */
  const inputPlaces = new Map<string | Value, number>()
  const inputKey = (value: Value): string | Value =>
    value.kind === 'result' ? `${value.node.index} ${value.output}` : value
  const lastUse = new Map<RecordedNode, number>()
  for (const [at, member] of members.entries()) {
    for (const value of member.inputs) {
      if (isInside(value)) lastUse.set(value.node, at)
      else if (!inputPlaces.has(inputKey(value))) {
        inputPlaces.set(inputKey(value), inputs.length)
        inputs.push(value)
      }
    }
  }
  const outputs = members.filter(isOutput)
  /** Buffers by number; outputs as negative numbers until the number of buffers is known. */
  const places = new Map<RecordedNode, number>(outputs.map((member, index) => [member, -1 - index]))
  const free: number[] = []
  let buffers = 0
  const steps: { operation: number; operands: (() => number)[]; to: () => number }[] = []
  const placeOf = (node: RecordedNode): number => {
    const place = places.get(node) ?? 0
    return place < 0 ? inputs.length + buffers - 1 - place : inputs.length + place
  }
  for (const [at, member] of members.entries()) {
    const operands = member.inputs.map((value): (() => number) => {
      if (!isInside(value)) return () => inputPlaces.get(inputKey(value)) ?? 0
      return () => placeOf(value.node)
    })
    const done = new Set(member.inputs.filter(isInside).map(({ node }) => node))
    for (const node of done) {
      const place = places.get(node) ?? -1
      if (place >= 0 && lastUse.get(node) === at) free.push(place)
    }
    if (!places.has(member)) places.set(member, free.pop() ?? buffers++)
    steps.push({ operation: PLACES.get(member.operation) ?? -1, operands, to: () => placeOf(member) })
  }
  const program = steps.flatMap(({ operation, operands, to }) => {
    const [a, b = a] = operands
    if (a === undefined || b === undefined) throw new Error('an elementwise operation has no operands')
    return [operation, to(), a(), b()]
  })
  const spreads = inputs.map((value) => SPREADS[spreadOf(value.shape, shape)?.spread ?? 'whole'])
  const numbers = [shape.length, ...shape, columns, inputs.length, ...spreads, buffers, steps.length, ...program]
  return { numbers: [...numbers, outputs.length], inputs, outputs }
}
