import { afterEach, expect, it, vi } from 'vitest'
import { drawShown } from './picture-canvas.ts'

afterEach(() => void vi.restoreAllMocks())

it('draws a map as a veil over the picture beneath, and nothing else of that', () => {
  const drawn: { level: number; alpha: number; size: readonly number[] }[] = []
  const own = () => {
    let level = -1
    return {
      createImageData: (width: number, height: number) => ({ data: new Uint8ClampedArray(width * height * 4) }),
      putImageData: ({ data }: ImageData) => void (level = data[0] ?? -1),
      level: () => level,
    }
  }
  const contexts: ReturnType<typeof own>[] = []
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockImplementation(() => {
    contexts.push(own())
    return contexts.at(-1) as unknown as null
  })
  const target = {
    globalAlpha: 1,
    drawImage: (_: unknown, ...size: number[]) => {
      drawn.push({ level: contexts.at(-1)?.level() ?? -1, alpha: target.globalAlpha, size })
    },
  }
  const picture = (value: number) => ({
    source: { values: Uint8Array.of(value), start: 0, pixelStep: 1, width: 1, height: 1, channels: 1 as const },
    limits: { low: 0, high: 255 },
  })
  const context = target as unknown as CanvasRenderingContext2D
  drawShown(context, { ...picture(255), map: 'grey', under: picture(0) }, 8, 6)
  drawShown(context, { ...picture(51), map: 'grey' }, 8, 6)
  expect(drawn).toEqual([
    { level: 0, alpha: 1, size: [0, 0, 8, 6] },
    { level: 255, alpha: 0.6, size: [0, 0, 8, 6] },
    { level: 51, alpha: 1, size: [0, 0, 8, 6] },
  ])
  expect(target.globalAlpha).toBe(1)
})
