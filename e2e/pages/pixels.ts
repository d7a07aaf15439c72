import type { Locator } from '@playwright/test'

/** What is drawn on a canvas, reduced to what a test asks about. */
export interface Pixels {
  width: number
  height: number
  /** Of the red levels, 0…255. */
  mean: number
  standardDeviation: number
  /** How many different red levels there are. */
  levels: number
  /** Red level of the first pixel: the outermost corner of the picture. */
  corner: number
  /** The same for the same pixels. */
  digest: string
}

/** Reads the pixels of a canvas. One without an area has no levels. */
export function pixelsOf(canvas: Locator): Promise<Pixels> {
  return canvas.evaluate((element) => {
    if (!(element instanceof HTMLCanvasElement)) throw new Error('This is not a canvas')
    const { width, height } = element
    const context = element.getContext('2d')
    const empty = { width, height, mean: 0, standardDeviation: 0, levels: 0, corner: 0, digest: '' }
    if (!context || width === 0 || height === 0) return empty
    const { data } = context.getImageData(0, 0, width, height)
    let [sum, squares, digest] = [0, 0, 2166136261]
    const seen = new Set<number>()
    for (let at = 0; at < data.length; at += 4) {
      const red = data[at] ?? 0
      sum += red
      squares += red * red
      seen.add(red)
      digest = Math.imul(digest ^ red ^ ((data[at + 2] ?? 0) << 8), 16777619)
    }
    const count = width * height
    const mean = sum / count
    const standardDeviation = Math.sqrt(Math.max(0, squares / count - mean * mean))
    return {
      ...{ width, height, mean, standardDeviation, levels: seen.size, corner: data[0] ?? 0 },
      digest: `${width}x${height}-${(digest >>> 0).toString(16)}`,
    }
  })
}
