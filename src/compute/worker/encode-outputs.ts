/** Files that other programs open: `.npy` for arrays, `.png` for pictures. */
import sharp from 'sharp'
import type { ArrayValues, OutputEncoders } from './worker-registry.ts'

/** Header and data together start the data at a multiple of this. */
const ALIGNMENT_BYTES = 64
const MAGIC = new Uint8Array([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0])

function npyType(values: ArrayValues): string {
  if (values instanceof Float32Array) return '<f4'
  if (values instanceof Int32Array) return '<i4'
  return values instanceof Uint8Array ? '|u1' : '<f8'
}

/**
 * A C-order array as NumPy's format 1.0.
 * @throws RangeError where the shape does not fit the number of values
 */
export function encodeNpy(shape: readonly number[], values: ArrayValues): Uint8Array {
  const count = shape.reduce((product, size) => product * size, 1)
  if (count !== values.length)
    throw new RangeError(`an array of shape [${shape.join(', ')}] has ${count} values, not ${values.length}`)
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${npyType(values)}', 'fortran_order': False, 'shape': (${tuple}), }`
  const prefix = MAGIC.length + Uint16Array.BYTES_PER_ELEMENT
  const headerBytes = Math.ceil((prefix + text.length + 1) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES
  const file = new Uint8Array(headerBytes + values.byteLength)
  file.set(MAGIC)
  new DataView(file.buffer).setUint16(MAGIC.length, headerBytes - prefix, true)
  file.set(new TextEncoder().encode(`${text.padEnd(headerBytes - prefix - 1)}\n`), prefix)
  // Every platform that Node runs on keeps numbers little-endian, as the header says.
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), headerBytes)
  return file
}

/** An 8-bit picture, `[height, width, channels]` of bytes, as PNG: grey, RGB or RGBA. */
export async function encodePng(
  width: number,
  height: number,
  channels: 1 | 3 | 4,
  pixels: Uint8Array,
): Promise<Uint8Array> {
  const picture = sharp(pixels, { raw: { width, height, channels } })
  // One channel would otherwise become three.
  return (channels === 1 ? picture.toColourspace('b-w') : picture).png().toBuffer()
}

export const outputEncoders: OutputEncoders = { array: encodeNpy, picture: encodePng }
