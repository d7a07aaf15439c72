import { expect, it } from 'vitest'
import { AscentSettings, PUBLISHED_SETTINGS } from '../../shared/experiments/activation-maximisation.ts'
import { beyondTexts, everyNthPixel, greyLevels, settingsText } from './maximised-pictures.ts'

it('adds the mean of each channel and stays within grey levels', () => {
  const values = Float32Array.from([0, 0, -300, 300, 10.6, -10])
  const shown = greyLevels({ shape: [1, 1, 2, 3], values }, [51, 102, 153])
  expect([...shown.values]).toEqual([51, 102, 0, 255, 113, 143])
  expect(shown.shape).toEqual([1, 1, 2, 3])
})

it('adds the mean of every pixel where a whole picture is given', () => {
  const values = Float32Array.from([0, 0, 1, 1])
  expect([...greyLevels({ shape: [2, 1, 2, 1], values }, Float32Array.from([10, 20])).values]).toEqual([10, 20, 11, 21])
})

it('shows zeros as black where the network has no mean', () => {
  const values = Float32Array.from([0, 128])
  expect([...greyLevels({ shape: [1, 1, 2, 1], values }, []).values]).toEqual([0, 128])
})

it('writes published settings without what is off', () => {
  expect(PUBLISHED_SETTINGS.map(settingsText)).toEqual([
    'blur 0.500 px every 4, small norm 50.0 %, progress 2.00, rate up to 100, 500 iterations',
    'decay 0.300, small norm 20.0 %, constant rate 100, 750 iterations',
    'decay 0.000100, blur 1.00 px every 4, constant rate 100, 1\u202f000 iterations',
    'blur 0.500 px every 4, small contribution 90.0 %, progress 2.00, rate up to 1.00e8, 1\u202f000 iterations',
  ])
})

it('says what goes beyond the paper', () => {
  const settings = { ...PUBLISHED_SETTINGS[0], fourierPower: 1, decorrelatedColour: true, jitterPixels: 2 }
  expect(beyondTexts(AscentSettings.parse(settings))).toEqual(['Fourier 1 / f^1', 'natural colours', 'jitter ± 2 px'])
})

it('leaves out pixels of a picture that is larger than its room', () => {
  const values = Uint8Array.from({ length: 5 * 4 * 3 }, (_, at) => Math.floor(at / 3))
  const source = { values, start: 0, pixelStep: 3, width: 5, height: 4, channels: 3 } as const
  expect(everyNthPixel(source, { width: 5, height: 4 })).toBe(source)
  const small = everyNthPixel(source, { width: 3, height: 9 })
  expect([small.width, small.height]).toEqual([3, 2])
  expect([...small.values]).toEqual([0, 2, 4, 10, 12, 14].flatMap((value) => [value, value, value]))
})
