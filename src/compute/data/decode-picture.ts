/** Picture files as bytes, by sharp (libvips). */
import sharp, { type Sharp } from 'sharp'
import { ConvScopeError } from '../../shared/errors.ts'
import { kindOf, quickHeader, type QuickHeader } from './quick-header.ts'

/** `[height, width, channels]` bytes 0…255. */
export interface BytePicture {
  readonly shape: readonly [height: number, width: number, channels: number]
  readonly data: Uint8Array
}

export type PictureHeader = QuickHeader

const MAXIMUM_PIXELS = 100_000_000
/** More than this cannot be packed into so few bytes (deflate holds 8,256 one-bit pixels in one): no picture, but a bomb. */
const PIXELS_PER_BYTE = 10_000
const PLAUSIBLE_PIXELS = 1_000_000
/** Bytes of one encoded picture. */
export const MAXIMUM_FILE_BYTES = 512 * 2 ** 20
const REMEDY = 'Choose a PNG, JPEG, WebP, TIFF or GIF file.'

// Every picture is read once; what libvips would keep is no use to anybody.
sharp.cache(false)

/**
 * Size and colours of a picture, upright, from the beginning of its file.
 * @param name what messages call it
 * @throws ConvScopeError 'damaged' for what is no picture, 'too-large' above 100 million pixels
 */
export async function pictureHeader(file: Uint8Array, name: string): Promise<PictureHeader> {
  try {
    const header = quickHeader(file) ?? (await decoderHeader(file))
    const { height, width } = header
    if (height * width > MAXIMUM_PIXELS) throw tooLarge(name, height, width)
    if (height * width > PLAUSIBLE_PIXELS + PIXELS_PER_BYTE * file.length) {
      throw new TypeError(`it claims ${width} × ${height} pixels in ${file.length} bytes`)
    }
    return header
  } catch (cause) {
    throw unreadable(cause, name)
  }
}

/**
 * A picture, upright, without transparency (on black), as grey (1) or RGB (3).
 * @param fit shrinks it to fit into a square of so many pixels, which the rest is filled up to with black
 * @throws ConvScopeError 'damaged' for what is no picture or ends early, 'too-large' above 100 million pixels
 */
export async function decodePicture(
  file: Uint8Array,
  { name, channels, fit }: { name: string; channels: 1 | 3; fit?: number },
): Promise<BytePicture> {
  try {
    const flat = upright(openPicture(file), channels)
    const sized = fit === undefined ? flat : flat.resize(fit, fit, { fit: 'contain', background: '#000' })
    const { data, info } = await sized.raw().toBuffer({ resolveWithObject: true })
    if (info.channels !== channels) throw new TypeError(`it has ${info.channels} channels instead of ${channels}`)
    return { shape: [info.height, info.width, info.channels], data }
  } catch (cause) {
    throw unreadable(cause, name)
  }
}

/** A picture of bytes shrunk to fit into a square of `side` pixels, which the rest is filled up to with black. */
export async function shrink({ shape, data }: BytePicture, side: number): Promise<Uint8Array> {
  const [height, width, channels] = shape
  return sharp(data, { raw: { height, width, channels: channels === 1 ? 1 : 3 } })
    .resize(side, side, { fit: 'contain', background: '#000' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer()
}

async function decoderHeader(file: Uint8Array): Promise<PictureHeader> {
  const { autoOrient, space } = await openPicture(file).metadata()
  const isGrey = space === 'b-w' || space === 'grey16'
  return { height: autoOrient.height, width: autoOrient.width, channels: isGrey ? 1 : 3 }
}

/** For `network-input.ts`, which resizes on the way. @throws TypeError for what is none of the kinds that are read */
export function openPicture(file: Uint8Array): Sharp {
  if (!kindOf(file)) throw new TypeError(whatItIs(file))
  return sharp(file, { limitInputPixels: MAXIMUM_PIXELS, failOn: 'error' })
}

/** Bytes `[height, width, channels]`, grey, RGB or RGBA, as if they were a picture file. */
export function openPixels(data: Uint8Array, shape: readonly [number, number, 1 | 3 | 4]): Sharp {
  const [height, width, channels] = shape
  return sharp(data, { raw: { height, width, channels } })
}

export function upright(source: Sharp, channels: number): Sharp {
  return source
    .autoOrient()
    .flatten({ background: '#000' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
}

export function unreadable(cause: unknown, name: string): ConvScopeError {
  if (cause instanceof ConvScopeError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ConvScopeError('damaged', `${name} cannot be read: ${reason.split('\n', 1)[0] ?? ''}`, {
    remedy: REMEDY,
    cause,
  })
}

function tooLarge(name: string, height: number, width: number): ConvScopeError {
  return new ConvScopeError('too-large', `${name} has ${width} × ${height} pixels; ${MAXIMUM_PIXELS} can be read`, {
    remedy: 'Make it smaller.',
  })
}

function whatItIs(file: Uint8Array): string {
  if (file.length === 0) return 'it is empty'
  const isDrawing = /<svg[\s>]/i.test(new TextDecoder('latin1').decode(file.subarray(0, 1000)))
  return isDrawing ? 'it is a drawing (svg)' : 'it is none of the kinds of pictures that are read'
}
