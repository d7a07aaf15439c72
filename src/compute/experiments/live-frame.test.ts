import sharp from 'sharp'
import { beforeAll, describe, expect, it } from 'vitest'
import { DeconvnetParams } from '../../shared/experiments/deconvnet.ts'
import { EncodedFrame, LiveView, type EncodedFile } from '../../shared/live.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import type { Network } from '../network/network.ts'
import { smallConvnet } from '../study/testing/small-networks.ts'
import { deconvnet } from './deconvnet.ts'
import { liveFrame } from './live-frame.ts'
import { finish, testContext, testSplit } from './testing/test-context.ts'

let engine: Engine
let network: Network
beforeAll(async () => {
  engine = await startCpu()
  network = smallConvnet(engine.tf)
})

const PICTURE = { dataset: 'digits', split: 'test', index: 3 }
const view = (changes: object = {}): LiveView => LiveView.parse({ network: 'small', layer: 'relu2', ...changes })
const digit = () => testSplit('test', 20).images.slice(3 * 784, 4 * 784)
const encoded = (pixels: Uint8Array, height: number, width: number, channels: number): EncodedFrame =>
  EncodedFrame.parse({ height, width, channels, base64: Buffer.from(pixels).toString('base64') })

const frame = async (source: typeof PICTURE | EncodedFrame | EncodedFile, changes: object = {}) => {
  const { context, outputs } = testContext({ engine, network })
  return { result: await liveFrame({ view: view(changes), frame: source }, context), outputs }
}

describe('a live frame', () => {
  it('is a deconvnet of the picture, whether it is named or its pixels come', async () => {
    const { context, outputs } = testContext({ engine, network })
    const params = DeconvnetParams.parse({
      network: 'small',
      layer: 'relu2',
      picture: PICTURE,
      units: { kind: 'strongest', count: 1 },
    })
    const { result } = await finish(deconvnet(params, context))
    const named = await frame(PICTURE)
    expect(named.outputs).toEqual(outputs)
    expect(named.result).toEqual({ ...result, computeMs: expect.any(Number) as number })
    const grey = digit()
    const rgba = Uint8Array.from({ length: grey.length * 4 }, (_, index) =>
      index % 4 === 3 ? 255 : (grey[index >> 2] ?? 0),
    )
    for (const source of [encoded(grey, 28, 28, 1), encoded(rgba, 28, 28, 4)]) {
      const own = await frame(source)
      expect(own.outputs.arrays).toEqual(outputs.arrays)
      expect(own.result.label).toBeNull()
    }
  })

  it('is stretched to the input, and follows a channel that is chosen', async () => {
    const units = { kind: 'list', units: [{ channel: 2 }] }
    const { result, outputs } = await frame(encoded(new Uint8Array(64 * 48 * 3).fill(128), 64, 48, 3), { units })
    expect(result.units.map(({ channel }) => channel)).toEqual([2])
    const input = outputs.arrays.get('input')
    expect(input?.shape).toEqual([28, 28, 1])
    expect(new Set(input?.values as Float32Array)).toEqual(new Set([Math.fround(128 / 255)]))
  })

  it('takes the middle of a picture file, inverted where that is asked for', async () => {
    // Dark at both ends, light in the middle.
    const wide = Uint8Array.from({ length: 84 * 28 }, (_, at) => (Math.floor((at % 84) / 28) === 1 ? 204 : 0))
    const png = await sharp(wide, { raw: { width: 84, height: 28, channels: 1 } })
      .png()
      .toBuffer()
    const levels = async (invert: boolean) => {
      const { outputs } = await frame({ fileBase64: png.toString('base64'), invert })
      return [...new Set(outputs.arrays.get('input')?.values as Float32Array)].map((value) => Math.round(value * 255))
    }
    expect(await levels(false)).toEqual([204])
    expect(await levels(true)).toEqual([51])
  })

  it('refuses a file that is no picture, or claims more pixels than it can hold', async () => {
    const text = Buffer.from('no picture').toString('base64')
    await expect(frame({ fileBase64: text, invert: false })).rejects.toMatchObject({ code: 'damaged' })
    const png = await sharp({ create: { width: 2000, height: 2000, channels: 3, background: '#000' } })
      .png()
      .toBuffer()
    png.writeUInt32BE(90_000, 16)
    await expect(frame({ fileBase64: png.toString('base64'), invert: false })).rejects.toMatchObject({
      code: 'too-large',
    })
  })

  it('leaves no tensors behind', async () => {
    await frame(PICTURE)
    const before = engine.memory().tensors
    await frame(PICTURE)
    expect(engine.memory().tensors).toBe(before)
  })

  it('refuses by name what is not there', async () => {
    await expect(frame(PICTURE, { layer: 'conv9' })).rejects.toThrow(/no layer conv9/)
    await expect(frame({ ...encoded(digit(), 28, 28, 1), width: 29 })).rejects.toThrow(
      /28 × 29 × 1 came with 784 bytes/,
    )
  })
})
