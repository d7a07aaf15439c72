/** The element types in which formats store numbers, and their values as float32. */

export const BYTES_OF_TYPE = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  uint64: 8,
  int32: 4,
  uint32: 4,
  int16: 2,
  uint16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
} as const
export type ElementType = keyof typeof BYTES_OF_TYPE

const readers: Readonly<
  Record<Exclude<ElementType, 'float16' | 'bfloat16'>, (view: DataView, place: number, little: boolean) => number>
> = {
  float64: (view, place, little) => view.getFloat64(place, little),
  float32: (view, place, little) => view.getFloat32(place, little),
  int64: (view, place, little) => Number(view.getBigInt64(place, little)),
  uint64: (view, place, little) => Number(view.getBigUint64(place, little)),
  int32: (view, place, little) => view.getInt32(place, little),
  uint32: (view, place, little) => view.getUint32(place, little),
  int16: (view, place, little) => view.getInt16(place, little),
  uint16: (view, place, little) => view.getUint16(place, little),
  int8: (view, place) => view.getInt8(place),
  uint8: (view, place) => view.getUint8(place),
  bool: (view, place) => (view.getUint8(place) === 0 ? 0 : 1),
}

/**
 * The numbers of `bytes`, rounded to float32; whole elements only. The result may share its memory with `bytes`.
 * @throws RangeError when the length is not a multiple of the element's
 */
export function toFloat32(bytes: Uint8Array, type: ElementType, littleEndian = true): Float32Array {
  const step = BYTES_OF_TYPE[type]
  if (bytes.byteLength % step !== 0) throw new RangeError(`${bytes.byteLength} bytes are no whole number of ${type}`)
  const count = bytes.byteLength / step
  if (type === 'float32' && littleEndian && bytes.byteOffset % step === 0) {
    // Every platform that this runs on keeps numbers little-endian.
    return new Float32Array(bytes.buffer, bytes.byteOffset, count)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const values = new Float32Array(count)
  if (type === 'float16') {
    for (let index = 0; index < count; index++) values[index] = float16(view.getUint16(index * 2, littleEndian))
  } else if (type === 'bfloat16') {
    // The upper half of a float32.
    const words = new Uint32Array(values.buffer)
    for (let index = 0; index < count; index++) words[index] = view.getUint16(index * 2, littleEndian) << 16
  } else {
    const read = readers[type]
    for (let index = 0; index < count; index++) values[index] = read(view, index * step, littleEndian)
  }
  return values
}

/** IEEE 754 half precision. */
export function float16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
