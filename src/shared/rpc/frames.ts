/** Messages as MessagePack, one in a WebSocket frame. */
import { Packr } from 'msgpackr'
import { ConvScopeError } from '../errors.ts'

/** Largest frame either side accepts. A page of a data set and a preview stay far below; files go by HTTP. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024

// Records are an extension of msgpackr with a state on both sides: a lost message would make every later one unreadable.
const packr = new Packr({ useRecords: false, moreTypes: true })

export function packFrame(value: unknown): Uint8Array<ArrayBuffer> {
  // Never shared memory: the packer allocates its own buffers.
  return packr.pack(value) as Uint8Array<ArrayBuffer>
}

/** @throws ConvScopeError 'damaged' when the bytes are not MessagePack */
export function unpackFrame(bytes: Uint8Array): unknown {
  try {
    return packr.unpack(bytes)
  } catch (cause) {
    throw new ConvScopeError('damaged', 'A frame between page and program is not MessagePack', {
      remedy: 'Reload the page.',
      cause,
    })
  }
}
