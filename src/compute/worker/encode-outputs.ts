/** Files that other programs open: `.npy` for arrays, `.png` for pictures. */
import sharp from 'sharp'
import { encodeNpy } from '../../shared/npy.ts'
import type { OutputEncoders } from './worker-registry.ts'

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
