/** Size and colours of ordinary JPEG and PNG files, without starting a decoder for each: folders hold tens of thousands. */

/** What the beginning of a file tells; undefined where only a decoder can say. */
export interface QuickHeader {
  readonly height: number
  readonly width: number
  /** 1: grey. */
  readonly channels: 1 | 3
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const JPEG_MARKER = 0xff
const APP1 = 0xe1
const START_OF_SCAN = 0xda

export type PictureKind = 'jpeg' | 'png' | 'gif' | 'webp' | 'tiff'

/** By the first bytes, not by the name; undefined for whatever else: drawings (SVG) and documents could name other files. */
export function kindOf(file: Uint8Array): PictureKind | undefined {
  const text = String.fromCharCode(...file.subarray(0, 12))
  if (text.startsWith('\u00ff\u00d8\u00ff')) return 'jpeg'
  if (PNG.every((byte, place) => file[place] === byte)) return 'png'
  if (text.startsWith('GIF8')) return 'gif'
  if (text.startsWith('RIFF') && text.endsWith('WEBP')) return 'webp'
  return /^(II[*+]\0|MM\0[*+])/.test(text) ? 'tiff' : undefined
}

/** Undefined for anything unusual: other kinds, orientation, CMYK, palettes, a damaged beginning. */
export function quickHeader(file: Uint8Array): QuickHeader | undefined {
  const kind = kindOf(file)
  if (kind === 'jpeg') return jpegHeader(file)
  return kind === 'png' ? pngHeader(file) : undefined
}

/** The frame header (SOFn, ITU-T T.81 B.2.2) after the segments before it. */
function jpegHeader(file: Uint8Array): QuickHeader | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  for (let place = 2; place + 10 <= file.length;) {
    const marker = file[place + 1] ?? 0
    // An APP1 segment may turn the picture (EXIF).
    if (file[place] !== JPEG_MARKER || marker === APP1 || marker === START_OF_SCAN) return undefined
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      const channels = file[place + 9]
      return sized(
        view.getUint16(place + 5),
        view.getUint16(place + 7),
        channels === 1 || channels === 3 ? channels : 0,
      )
    }
    place += 2 + view.getUint16(place + 2)
  }
  return undefined
}

/** The first chunk (IHDR): width, height, bit depth, colour type 0 grey, 2 RGB, 4 and 6 the same with transparency. */
function pngHeader(file: Uint8Array): QuickHeader | undefined {
  if (file.length < 26 || String.fromCharCode(...file.subarray(12, 16)) !== 'IHDR') return undefined
  // An eXIf chunk may turn the picture; it stands before the pixels.
  const text = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (text.includes('eXIf')) return undefined
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const type = file[25]
  const channels = type === 0 || type === 4 ? 1 : type === 2 || type === 6 ? 3 : 0
  return sized(view.getUint32(20), view.getUint32(16), channels)
}

function sized(height: number, width: number, channels: 0 | 1 | 3): QuickHeader | undefined {
  return height > 0 && width > 0 && channels !== 0 ? { height, width, channels } : undefined
}
