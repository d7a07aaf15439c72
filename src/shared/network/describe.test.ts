import { expect, it } from 'vitest'
import { preprocessingSteps, suggestNetworkName } from './describe.ts'
import { LibraryName } from '../values.ts'

it('names every step of the pipeline with its values', () => {
  const steps = preprocessingSteps({
    resize: { mode: 'short-side', height: 256, width: 256, filter: 'pil-bilinear' },
    crop: { mode: 'centre', height: 227, width: 227 },
    channelOrder: 'bgr',
    scale: 1,
    mean: [104, 116.66876762, 123],
    std: [0.5],
  })
  expect(steps.map(({ title, text }) => `${title} ${text}`)).toEqual([
    'Resize short side to 256, PIL (bilinear, antialiased)',
    'Crop centre 227 × 227',
    'Channels blue, green, red',
    'Scale × 1',
    'Mean − 104, 116.669, 123',
    'Deviation ÷ 0.5',
  ])
  expect(preprocessingSteps({ channelOrder: 'grey', scale: 1 / 255, mean: [], std: [] }).at(-1)?.text).toBe('÷ 255')
  const meanImage = 'preprocessing/mean' as const
  expect(preprocessingSteps({ channelOrder: 'rgb', scale: 1, mean: [1, 2], meanImage, std: [] }).at(-1)?.text).toBe(
    '− mean picture (averages 1, 2)',
  )
})

it.each([
  ['alexnet.caffemodel', 'alexnet'],
  ['VGG 16 (final).h5', 'VGG-16-final'],
  ['ta.weights.h5', 'ta'],
  ['resnet18-f37072fd.pth', 'resnet18-f37072fd'],
  ['.keras', 'network'],
  ['сеть.onnx', 'network'],
  [`${'x'.repeat(100)}.npz`, 'x'.repeat(64)],
])('makes a name of %s', (file, name) => {
  expect(suggestNetworkName(file)).toBe(name)
  expect(LibraryName.safeParse(name).success).toBe(true)
})
