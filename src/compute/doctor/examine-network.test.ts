import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Accuracy, Classification, Examination } from '../../shared/network/examination.ts'
import { encodeNpy } from '../../shared/npy.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import { finish } from '../experiments/testing/test-context.ts'
import type { Network } from '../network/network.ts'
import { measureAccuracy } from './accuracy.ts'
import { classifyPicture } from './classify.ts'
import { examineNetwork, type ExamineParams } from './examine-network.ts'
import {
  COLOUR_PREPROCESSING,
  COLOURS,
  colourNetwork,
  colourSplit,
  doctorContext,
  type ColourChanges,
} from './testing/colours.ts'

let engine: Engine
let network: Network | undefined
beforeAll(async () => {
  engine = await startCpu()
})
afterEach(() => {
  network?.dispose()
  network = undefined
})

const ARTIFACT = 'b'.repeat(64)
const PICTURES = { dataset: 'colours', split: 'test', count: 30 }

function context(changes: ColourChanges = {}, classes?: readonly string[], artifacts?: Record<string, Uint8Array>) {
  network = colourNetwork(engine, changes)
  return doctorContext(engine, network, colourSplit(60, classes), artifacts)
}

async function examined(changes: ColourChanges, params: Partial<ExamineParams>, classes?: readonly string[]) {
  const { result, events } = await finish(examineNetwork({ network: 'colours', ...params }, context(changes, classes)))
  return { result: Examination.parse(JSON.parse(JSON.stringify(result))), events }
}
const codes = ({ findings }: Examination) => findings.map(({ code }) => code)

describe('examineNetwork', () => {
  it('finds nothing against a sound network, with or without pictures', async () => {
    expect((await examined({}, {})).result).toEqual({ findings: [], pipelines: [] })
    const { result, events } = await examined({}, { pictures: PICTURES })
    expect(codes(result)).toEqual(['preprocessing-fits'])
    expect(result.pipelines[0]?.top1.fraction).toBe(1)
    const shares = events.map((event) => (event.type === 'step' ? event.done : NaN))
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    expect(shares.at(-1)).toBe(100)
  })

  it('sees dead channels and a layer that never changes where the range is wrong', async () => {
    const preprocessing = { ...COLOUR_PREPROCESSING, scale: 1 / 255, mean: [] }
    const { result } = await examined({ preprocessing }, { pictures: PICTURES })
    expect(codes(result).slice(0, 3).sort()).toEqual(['constant-layer', 'constant-layer', 'preprocessing-unlikely'])
    expect(result.findings.find(({ layer }) => layer === 'relu')?.message).toMatch(
      /same 108 values for all 30 pictures/,
    )
  })

  it('puts classes of another order together by name', async () => {
    const { result } = await examined({ classes: ['blue', 'green', 'red'] }, { pictures: PICTURES })
    expect(codes(result)).toContain('class-order')
    expect(codes(result)).toContain('preprocessing-unlikely')
  })

  it('says why nothing could be compared', async () => {
    const { result } = await examined({}, { pictures: PICTURES }, ['cat', 'dog', 'cow', 'hen'])
    expect(codes(result)).toEqual(['labels-not-comparable'])
    expect(result.pipelines).toEqual([])
    const crop = { mode: 'centre' as const, height: 2, width: 2 }
    const small = await examined({ preprocessing: { ...COLOUR_PREPROCESSING, crop } }, { pictures: PICTURES })
    expect(small.result.findings).toMatchObject([{ code: 'picture-size', message: /6×6 become 2×2.*takes 6×6/s }])
  })

  it('reads a reference from an artifact', async () => {
    const given = context({}, undefined, { [ARTIFACT]: encodeNpy([1, 6, 6, 3], new Float32Array(108).fill(7)) })
    const reference = { artifact: ARTIFACT, layer: 'conv', picture: { dataset: 'colours', split: 'test', index: 0 } }
    const { result } = await finish(examineNetwork({ network: 'colours', reference }, given))
    expect(result.reference).toMatchObject({ firstDeviating: 'conv', layers: [{ layer: 'conv', fits: false }] })
    expect(codes(result)).toContain('reference-deviates')
  })
})

describe('measureAccuracy', () => {
  it('counts right answers by class, over all or some pictures spread over the split', async () => {
    const params = { network: 'colours', dataset: 'colours', split: 'test' }
    const { result } = await finish(measureAccuracy(params, context()))
    expect(Accuracy.parse(result)).toMatchObject({
      top1: { correct: 60, count: 60, fraction: 1, high: 1 },
      top5: null,
      classes: COLOURS.map((label) => ({ label, count: 20, correct: 20 })),
    })
    const swapped = { preprocessing: { ...COLOUR_PREPROCESSING, channelOrder: 'rgb' as const } }
    const some = await finish(measureAccuracy({ ...params, count: 30 }, context(swapped)))
    expect(some.result.top1).toMatchObject({ correct: 10, count: 30 })
    expect(some.result.classes.map(({ correct }) => correct)).toEqual([0, 10, 0])
    expect(some.events.at(-1)).toMatchObject({ type: 'step', done: 30, total: 30, values: { accuracy: 1 / 3 } })
  })

  it('refuses classes that have nothing to do with the network', async () => {
    const params = { network: 'colours', dataset: 'colours', split: 'test' }
    await expect(finish(measureAccuracy(params, context({}, ['a', 'b', 'c', 'd'])))).rejects.toThrow(
      /has 4 classes and the network colours 3/,
    )
  })
})

describe('classifyPicture', () => {
  const params = { network: 'colours', picture: { dataset: 'colours', split: 'test', index: 1 } }

  it('gives the classes, most probable first', async () => {
    const result = Classification.parse(await classifyPicture(params, context()))
    expect(result.top.map(({ label }) => label)[0]).toBe('green')
    expect(result.top).toHaveLength(3)
    expect(result.top.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 6)
    expect(result.label).toEqual({ index: 1, label: 'green' })
  })

  it('takes another preprocessing', async () => {
    const red = { ...params, picture: { ...params.picture, index: 0 } }
    const swapped = { ...COLOUR_PREPROCESSING, channelOrder: 'rgb' as const }
    expect((await classifyPicture({ ...red, preprocessing: swapped }, context())).top[0]?.label).toBe('blue')
    const picture = { ...COLOUR_PREPROCESSING, meanImage: 'preprocessing/mean' as const }
    await expect(classifyPicture({ ...red, preprocessing: picture }, context())).rejects.toThrow(/has no mean picture/)
  })

  it('says that a network which gives NaN cannot answer', async () => {
    const preprocessing = { ...COLOUR_PREPROCESSING, scale: 1e300 }
    await expect(classifyPicture(params, context({ preprocessing }))).rejects.toThrow(/gives no numbers/)
  })
})
