/**
 * Takes out of a recording what changes nothing: operations that return their input, repetitions, what nothing depends on, and what depends
 * on nothing but constants and tensors from outside. The results stay the same bit for bit.
 */
import type { FoldedTensors } from './folded-tensors.ts'
import { neededFor } from './needed-values.ts'
import type { ConstantValue, FixedValue, FoldedValue, RecordedNode, Recording, Value } from './recording.ts'
import { sizeOf } from '../../../shared/size-of.ts'

/** They rearrange, so equal shapes before and after mean that nothing moved. */
const SAME_WHERE_SHAPE_STAYS: ReadonlySet<string> = new Set([
  'BroadcastTo',
  'ExpandDims',
  'Pad',
  'PadV2',
  'Reshape',
  'Slice',
  'Squeeze',
  'Tile',
])

/** Folded results of at most this size become constants of the function; larger ones become hidden inputs. */
const SMALL_BYTES = 4096
/** A folded result may be as large as this many times what it was made of: filled and repeated tensors are not worth keeping. */
const GROWTH = 2

export function simplify(recording: Recording, folded: FoldedTensors): Recording {
  const needed = neededFor([...recording.results, ...recording.writes.map(({ value }) => value)])
  const replacements = new Map<RecordedNode, readonly Value[]>()
  /** Results by operation, attributes and inputs. */
  const known = new Map<string, readonly Value[]>()
  const fixed = new Map<string, FixedValue>()
  const numbers = new Map<Value, number>()
  const nodes: RecordedNode[] = []
  const constants: ConstantValue[] = [...recording.constants]

  const once = (value: FixedValue): FixedValue => {
    const key = folded.keyOf(value)
    const same = fixed.get(key) ?? value
    fixed.set(key, same)
    return same
  }
  const resolve = (value: Value): Value => {
    if (value.kind === 'result') return replacements.get(value.node)?.[value.output] ?? value
    return value.kind === 'constant' ? once(value) : value
  }
  const describe = (value: Value): string => {
    if (isFixed(value)) return folded.keyOf(value)
    const number = numbers.get(value) ?? numbers.size
    numbers.set(value, number)
    return `value ${number}`
  }
  const fold = (node: RecordedNode, key: string): Value[] =>
    node.outputs.map(({ dtype, shape }, output) => {
      const value: FoldedValue = { kind: 'folded', key: `${output} of ${key}`, node, output, dtype, shape }
      const data = bytesOfShapes([value]) <= SMALL_BYTES ? folded.read(value) : undefined
      if (data === undefined) return once(value)
      const constant: ConstantValue = {
        kind: 'constant',
        index: constants.length,
        dtype,
        shape,
        data,
        origin: node.origin,
      }
      constants.push(constant)
      return once(constant)
    })

  for (const original of recording.nodes) {
    if (!needed.has(original)) continue
    const node: RecordedNode = { ...original, inputs: shortened(original.operation, original.inputs.map(resolve)) }
    const returned = unchanged(node)
    if (returned !== undefined) {
      replacements.set(original, [returned])
      continue
    }
    const key = `${node.operation} ${attributesKey(node)} (${node.inputs.map(describe).join(', ')})`
    let results = known.get(key)
    if (results === undefined && isFoldable(node)) results = fold(node, key)
    if (results === undefined) {
      nodes.push(node)
      results = node.outputs.map(({ dtype, shape }, output) => ({ kind: 'result', node, output, dtype, shape }))
    }
    known.set(key, results)
    replacements.set(original, results)
  }
  return {
    ...recording,
    nodes,
    constants,
    results: recording.results.map(resolve),
    writes: recording.writes.map(({ variable, value }) => ({ variable, value: resolve(value) })),
  }
}

export function isFixed(value: Value): value is FixedValue {
  return value.kind === 'constant' || value.kind === 'folded' || (value.kind === 'captured' && !value.variable)
}

function isFoldable({ inputs, outputs }: RecordedNode): boolean {
  if (inputs.length === 0 || !inputs.every(isFixed)) return false
  return bytesOfShapes(outputs) <= Math.max(SMALL_BYTES, GROWTH * bytesOfShapes(inputs))
}

function bytesOfShapes(values: readonly { readonly shape: readonly number[] }[]): number {
  return values.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0)
}

/** A reshaped tensor reshaped again: only the last shape counts. */
function shortened(operation: string, inputs: readonly Value[]): readonly Value[] {
  const [first, ...rest] = inputs
  if (operation !== 'Reshape' || first?.kind !== 'result' || first.node.operation !== 'Reshape') return inputs
  const [source] = first.node.inputs
  return source === undefined ? inputs : [source, ...rest]
}

/** The input that the operation returns as it is. */
function unchanged({ operation, inputs, outputs }: RecordedNode): Value | undefined {
  const [input] = inputs
  const [output] = outputs
  if (input === undefined || output === undefined || outputs.length > 1 || input.dtype !== output.dtype)
    return undefined
  if (operation === 'Identity' || operation === 'Cast') return input
  const same = input.shape.join() === output.shape.join()
  return same && SAME_WHERE_SHAPE_STAYS.has(operation) ? input : undefined
}

/** Numbers that JSON does not tell apart are written out. */
function attributesKey({ attributes }: RecordedNode): string {
  const write = (_: string, value: unknown): unknown =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? `number ${Object.is(value, -0) ? '-0' : value}`
      : value
  const entries = attributes.map(({ name, value }) => [name, value] as const)
  return JSON.stringify(
    [...new Map(entries)].sort(([a], [b]) => (a < b ? -1 : 1)),
    write,
  )
}
