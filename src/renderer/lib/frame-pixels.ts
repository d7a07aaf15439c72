import type { PixelFrame } from '../../shared/live.ts'
import type { FrameSize } from '../../shared/network/frame-size.ts'

/** Left, top, width and height of the largest part in the middle with the aspect of `to`. */
export function centreCrop(from: FrameSize, to: FrameSize): readonly [number, number, number, number] {
  const factor = Math.min(from.width / to.width, from.height / to.height)
  const [width, height] = [to.width * factor, to.height * factor]
  return [(from.width - width) / 2, (from.height - height) / 2, width, height]
}

/** Light becomes dark in place; RGBA, opacity stays. */
export function invertColours(pixels: Uint8ClampedArray): void {
  for (let at = 0; at < pixels.length; at++) if (at % 4 !== 3) pixels[at] = 255 - (pixels[at] ?? 0)
}

/** Draws pictures of any size as frames of one size, always on the same canvas. */
export class FramePainter {
  readonly #context: CanvasRenderingContext2D

  constructor() {
    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    if (!context) throw new Error('The browser offers no canvas')
    this.#context = context
  }

  /** The middle of a picture with the aspect of `to`, at that size. */
  paint(picture: CanvasImageSource, from: FrameSize, to: FrameSize, invert: boolean): PixelFrame {
    const { canvas } = this.#context
    if (canvas.width !== to.width) canvas.width = to.width
    if (canvas.height !== to.height) canvas.height = to.height
    this.#context.imageSmoothingQuality = 'high'
    this.#context.clearRect(0, 0, to.width, to.height)
    this.#context.drawImage(picture, ...centreCrop(from, to), 0, 0, to.width, to.height)
    const { data } = this.#context.getImageData(0, 0, to.width, to.height)
    if (invert) invertColours(data)
    return { width: to.width, height: to.height, channels: 4, pixels: new Uint8Array(data.buffer) }
  }
}
