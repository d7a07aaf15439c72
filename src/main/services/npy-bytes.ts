/** The values inside an `.npy` file that the worker wrote. */
import { ConvScopeError } from '../../shared/errors.ts'

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/**
 * A copy of the raw bytes behind the header (NumPy format 1.0 to 3.0).
 * @throws ConvScopeError 'damaged' for anything else
 */
export function arrayBytes(file: Uint8Array): Uint8Array<ArrayBuffer> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < 12 || MAGIC.some((byte, index) => file[index] !== byte)) throw notNpy()
  const start = file[6] === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true)
  if (start > file.length) throw notNpy()
  return new Uint8Array(file.subarray(start))
}

function notNpy(): ConvScopeError {
  return new ConvScopeError('damaged', 'The compute worker sent an array that is not an .npy file')
}
