/** How far a pass over a data set is, and what it has found for each layer: the bytes of its checkpoints. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from '../network/safetensors.ts'

/** By name. */
export type SavedTensors = ReadonlyMap<string, SafeTensor>

export interface PassState {
  /** The first picture that has not been looked at. */
  readonly next: number
  readonly layers: ReadonlyMap<string, SavedTensors>
}

const Head = z.object({ next: z.number().int().nonnegative(), layers: z.array(z.string()) })

export function writePassState(
  next: number,
  layers: ReadonlyMap<string, { tensors(): Record<string, SafeTensor> }>,
): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify({ next, layers: [...layers.keys()] }))
  const tensors: Record<string, SafeTensor> = { head: { dtype: 'U8', shape: [head.length], data: head } }
  for (const [layer, table] of layers) {
    for (const [name, tensor] of Object.entries(table.tensors())) tensors[`${layer}:${name}`] = tensor
  }
  return encodeSafetensors(tensors)
}

/**
 * @param what the messages call it
 * @throws ConvScopeError 'damaged'
 */
export function readPassState(bytes: Uint8Array, what: string): PassState {
  const file = decodeSafetensors(bytes, what)
  try {
    const { next, layers } = Head.parse(JSON.parse(new TextDecoder().decode(file.get('head')?.data)))
    const own = (layer: string): [string, SavedTensors] => [
      layer,
      new Map(
        [...file]
          .filter(([name]) => name.startsWith(`${layer}:`))
          .map(([name, tensor]) => [name.slice(layer.length + 1), tensor]),
      ),
    ]
    return { next, layers: new Map(layers.map(own)) }
  } catch (cause) {
    throw new ConvScopeError('damaged', `${what} cannot be read`, { remedy: 'Start it again.', cause })
  }
}

/** Vectors of one element type as they are saved. */
export function tensorsOf(
  dtype: SafeTensor['dtype'],
  arrays: Record<string, SafeTensor['data']>,
): Record<string, SafeTensor> {
  return Object.fromEntries(Object.entries(arrays).map(([name, data]) => [name, { dtype, shape: [data.length], data }]))
}

/** A saved vector, or a fresh one where nothing was saved. @throws RangeError where it is missing, or of another size or type */
export function savedPart<A extends SafeTensor['data']>(
  saved: SavedTensors | undefined,
  name: string,
  fresh: () => A,
): A {
  const expected = fresh()
  if (saved === undefined) return expected
  const data = saved.get(name)?.data
  if (data?.length === expected.length && data.constructor === expected.constructor) return data.slice() as A
  throw new RangeError(`the saved state has no ${name} of ${expected.length} values`)
}
