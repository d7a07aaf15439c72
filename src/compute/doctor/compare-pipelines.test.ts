import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Preprocessing } from '../../shared/network/spec.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import type { Network } from '../network/network.ts'
import { comparePipelines, type LabelledPicture } from './compare-pipelines.ts'
import { plausiblePipelines } from './plausible-pipelines.ts'
import { COLOUR_PREPROCESSING, colourNetwork, colourSplit, type ColourChanges } from './testing/colours.ts'

let engine: Engine
let network: Network | undefined
beforeAll(async () => {
  engine = await startCpu()
})
afterEach(() => {
  network?.dispose()
  network = undefined
})

/** @param turned by how many places the labels are turned against the network's outputs */
async function compared(changes: ColourChanges, count = 60, turned = 0) {
  network = colourNetwork(engine, changes)
  const data = colourSplit(count)
  const pictures: LabelledPicture[] = []
  for (let index = 0; index < count; index++) {
    const { shape, data: bytes } = await data.picture(index)
    pictures.push({ picture: { shape, data: Float32Array.from(bytes) }, output: (index + turned) % 3 })
  }
  const comparing = comparePipelines(engine, network, pictures)
  const shares: number[] = []
  for (;;) {
    const step = await comparing.next()
    if (step.done) return { ...step.value, shares }
    shares.push(step.value)
  }
}

describe('comparePipelines', () => {
  it('says that the pipeline fits where it does', async () => {
    const before = engine.memory().tensors
    const { trials, findings, shares } = await compared({})
    const [own] = trials
    expect(own?.own).toBe(true)
    expect(own?.top1).toMatchObject({ correct: 60, count: 60 })
    expect(findings).toMatchObject([{ code: 'preprocessing-fits', severity: 'note', message: /100.0 % of 60/ }])
    expect(shares.at(-1)).toBe(1)
    network?.dispose()
    network = undefined
    expect(engine.memory().tensors).toBe(before)
  })

  it.each<[string, Preprocessing, RegExp]>([
    ['channels', { ...COLOUR_PREPROCESSING, channelOrder: 'rgb' }, /33.3 %/],
    ['range', Preprocessing.parse({ channelOrder: 'bgr', scale: 1 / 255 }), /33.3 %/],
    ['range and channels', Preprocessing.parse({ channelOrder: 'rgb', scale: 1 / 255 }), /33.3 %/],
  ])('finds a better one where the %s are wrong', async (_title, preprocessing, share) => {
    const { trials, findings } = await compared({ preprocessing })
    expect(trials[0]?.preprocessing.channelOrder).toBe('bgr')
    expect(trials[0]?.top1.fraction).toBe(1)
    expect(findings).toMatchObject([{ code: 'preprocessing-unlikely', severity: 'warning' }])
    expect(findings[0]?.message).toMatch(share)
  })

  it('finds that the layers are read in another order than meant', async () => {
    const { findings } = await compared({ flattenOrder: 'chw' })
    expect(findings.map(({ code }) => code)).toContain('flatten-order')
    expect(findings.find(({ code }) => code === 'flatten-order')?.message).toMatch(/100.0 % of the pictures are right/)
  })

  it('sees that names and outputs are in different orders', async () => {
    const { findings } = await compared({}, 60, 1)
    expect(findings[0]).toMatchObject({ code: 'classes-exchanged', severity: 'warning' })
    expect(findings[0]?.message).toMatch(/100.0 % of the pictures/)
  })

  it('does not take chance for a better way', async () => {
    const { findings } = await compared({ preprocessing: { ...COLOUR_PREPROCESSING, channelOrder: 'rgb' } }, 9)
    expect(findings.map(({ code }) => code)).not.toContain('preprocessing-unlikely')
  })
})

describe('plausiblePipelines', () => {
  it('begins with the own one, holds both orders, and repeats none', () => {
    const pipelines = plausiblePipelines(COLOUR_PREPROCESSING)
    expect(pipelines[0]).toMatchObject({ own: true, description: 'BGR, 0…255 less 100, 100, 100' })
    const texts = pipelines.map(({ description }) => description)
    expect(new Set(texts).size).toBe(texts.length)
    expect(texts).toContain('RGB, 0…1 less 0.485, 0.456, 0.406, divided by 0.229, 0.224, 0.225')
    expect(texts).toContain('BGR, 0…255 less 103.9, 116.8, 123.7')
    expect(texts).toContain('RGB, -1…1')
  })

  it('exchanges black and white for grey pictures', () => {
    const texts = plausiblePipelines(Preprocessing.parse({ channelOrder: 'grey' })).map(
      ({ description }) => description,
    )
    expect(texts[0]).toBe('grey, 0…1')
    expect(texts).toContain('grey, 1…0')
  })

  it('keeps resize and crop', () => {
    const resize = { mode: 'exact' as const, height: 8, width: 8, filter: 'caffe' as const }
    for (const { preprocessing } of plausiblePipelines({ ...COLOUR_PREPROCESSING, resize }))
      expect(preprocessing.resize).toEqual(resize)
  })
})
