import { describe, expect, it } from 'vitest'
import { NetworkSpec, Preprocessing } from '../../shared/network/spec.ts'
import { withMeanImage } from './mean-image.ts'
import { inputRange, preprocess, toPicture } from './preprocess.ts'
import { resize } from './resize.ts'

const shape = [7, 5, 3] as const
const picture = { shape, data: Uint8Array.from({ length: 105 }, (_, index) => (index * 37 + index * index * 11) % 256) }

/** Computed with Pillow 12, `Image.resize((width, height), Image.BILINEAR)`. */
const PILLOW: readonly (readonly [number, number, readonly number[]])[] = [
  [
    4,
    3,
    [
      127, 70, 148, 167, 120, 146, 151, 129, 143, 119, 138, 164, 170, 129, 115, 172, 179, 108, 145, 116, 151, 139, 153,
      139, 112, 175, 166, 81, 134, 193, 152, 121, 133, 156, 136, 148,
    ],
  ],
  [
    3,
    5,
    [
      92, 94, 172, 163, 85, 120, 195, 127, 118, 150, 148, 169, 157, 130, 107, 97, 156, 147, 190, 89, 176, 135, 145, 102,
      112, 188, 166, 166, 188, 112, 84, 147, 195, 119, 102, 161, 188, 145, 106, 107, 130, 157, 169, 148, 150,
    ],
  ],
  [
    14,
    10,
    [
      0, 48, 118, 53, 53, 140, 158, 63, 183, 184, 59, 211, 132, 40, 225, 130, 70, 225, 177, 150, 210, 209, 152, 180,
      227, 75, 136, 236, 36, 114, 54, 56, 145, 88, 59, 148, 157, 65, 155, 179, 72, 163, 155, 81, 173, 148, 107, 184,
      159, 151, 197, 171, 148, 179, 185, 99, 131, 192, 74, 107, 161, 72, 198, 159, 71, 165, 155, 68, 99, 169, 99, 67,
      200, 163, 68, 185, 181, 103, 123, 152, 171, 95, 141, 177, 100, 147, 120, 103, 150, 92, 161, 110, 208, 155, 104,
      171, 143, 93, 97, 164, 115, 56, 219, 171, 49, 211, 180, 75, 141, 143, 135, 104, 139, 148, 101, 169, 115, 99, 184,
      98, 55, 169, 176, 77, 159, 167, 120, 139, 148, 165, 121, 131, 211, 104, 115, 227, 105, 101, 212, 123, 88, 199,
      143, 93, 187, 164, 115, 181, 175, 126, 35, 185, 166, 68, 171, 168, 135, 143, 173, 171, 116, 163, 177, 91, 139,
      184, 99, 116, 193, 141, 95, 203, 168, 91, 215, 181, 105, 221, 187, 112, 100, 159, 177, 129, 141, 175, 187, 104,
      171, 183, 101, 153, 116, 131, 120, 83, 163, 121, 83, 196, 155, 117, 215, 143, 184, 219, 84, 218, 221, 55, 122,
      155, 145, 147, 132, 155, 197, 87, 175, 184, 91, 164, 109, 145, 123, 67, 184, 131, 59, 209, 189, 84, 219, 184, 143,
      215, 117, 172, 213, 83, 102, 172, 71, 123, 145, 109, 164, 91, 184, 175, 87, 197, 155, 132, 147, 137, 163, 147,
      120, 179, 196, 105, 181, 215, 91, 168, 203, 84, 162, 197, 104, 146, 83, 120, 131, 116, 153, 101, 183, 171, 104,
      187, 175, 141, 129, 164, 163, 120, 139, 171, 161, 115, 164, 187, 93, 143, 199, 82, 132, 205, 127, 78, 180, 139,
      91, 177, 163, 116, 171, 173, 143, 135, 168, 171, 68, 149, 185, 51, 115, 184, 83, 115, 169, 101, 148, 139, 104,
      165, 124, 106, 107, 96, 234, 115, 104, 211, 131, 121, 165, 148, 139, 120, 167, 159, 77, 155, 164, 67, 113, 155,
      91, 120, 147, 100, 177, 141, 95, 205, 138, 92, 45, 199, 246, 49, 171, 219, 56, 115, 164, 97, 93, 143, 171, 104,
      155, 183, 101, 169, 132, 83, 184, 131, 99, 185, 179, 148, 171, 203, 173, 164, 14, 250, 252, 16, 204, 223, 19, 112,
      164, 71, 70, 154, 173, 77, 194, 197, 69, 220, 142, 47, 231, 136, 75, 227, 180, 152, 209, 202, 190, 200,
    ],
  ],
  [
    9,
    2,
    [
      119, 59, 183, 191, 99, 181, 162, 96, 122, 134, 146, 137, 156, 127, 121, 162, 150, 108, 129, 137, 157, 203, 147,
      106, 149, 124, 157, 98, 217, 125, 146, 124, 151, 114, 164, 193, 152, 127, 141, 133, 159, 122, 128, 128, 155, 150,
      143, 104, 69, 126, 194, 163, 96, 215,
    ],
  ],
]

describe('resize', () => {
  it.each(PILLOW)('gives what Pillow gives at %i×%i', (height, width, expected) => {
    const resized = resize(picture, height, width, 'pil-bilinear')
    expect(resized.shape).toEqual([height, width, 3])
    // Pillow's weights are fixed-point numbers: a sum that lies on a half may round the other way.
    const worst = Math.max(...resized.data.map((value, index) => Math.abs(value - (expected[index] ?? NaN))))
    expect(worst).toBeLessThanOrEqual(1)
    const different = resized.data.filter((value, index) => value !== expected[index]).length
    expect(different / expected.length).toBeLessThan(0.02)
  })

  it('takes the pixel under the centre with nearest', () => {
    const row = { shape: [1, 4, 1] as const, data: Uint8Array.of(10, 20, 30, 40) }
    expect([...resize(row, 1, 2, 'nearest').data]).toEqual([20, 40])
    expect([...resize(row, 1, 8, 'nearest').data]).toEqual([10, 10, 20, 20, 30, 30, 40, 40])
  })

  it('interpolates between pixel centres with opencv-linear and caffe', () => {
    const row = { shape: [1, 2, 1] as const, data: Uint8Array.of(0, 101) }
    expect([...resize(row, 1, 4, 'caffe').data]).toEqual([0, 25.25, 75.75, 101])
    expect([...resize(row, 1, 4, 'opencv-linear').data]).toEqual([0, 25, 76, 101])
  })
})

describe('preprocess', () => {
  const mnist = Preprocessing.parse({ channelOrder: 'grey' })

  it('scales bytes to 0…1 by default', () => {
    const digit = { shape: [1, 2, 1] as const, data: Uint8Array.of(0, 255) }
    expect([...preprocess(digit, mnist, [1, 2, 1]).data]).toEqual([0, 1])
  })

  it('orders channels, subtracts the mean and divides by the deviation, in network order', () => {
    const caffe = Preprocessing.parse({ channelOrder: 'bgr', scale: 1, mean: [104, 117, 123], std: [1, 2, 4] })
    const pixel = { shape: [1, 1, 3] as const, data: Uint8Array.of(10, 20, 30) }
    expect([...preprocess(pixel, caffe, [1, 1, 3]).data]).toEqual([30 - 104, (20 - 117) / 2, (10 - 123) / 4])
  })

  it('turns colour into grey as Pillow does, repeats grey for colour networks and drops alpha', () => {
    const grey = preprocess(picture, Preprocessing.parse({ channelOrder: 'grey', scale: 1 }), [7, 5, 1])
    expect([...grey.data.slice(0, 10)]).toEqual([42, 126, 76, 194, 105, 136, 81, 224, 111, 137])
    const withAlpha = { shape: [1, 1, 2] as const, data: Uint8Array.of(9, 128) }
    expect([...preprocess(withAlpha, Preprocessing.parse({ channelOrder: 'rgb', scale: 1 }), [1, 1, 3]).data]).toEqual([
      9, 9, 9,
    ])
  })

  it('resizes the short side and crops the centre', () => {
    const pipeline = Preprocessing.parse({
      channelOrder: 'grey',
      scale: 1,
      resize: { mode: 'short-side', height: 2, width: 2, filter: 'nearest' },
      crop: { mode: 'centre', height: 2, width: 2 },
    })
    const wide = { shape: [4, 12, 1] as const, data: Uint8Array.from({ length: 48 }, (_, index) => index) }
    // Resized to 2×6: rows 1 and 3, columns 1, 3, 5, 7, 9, 11; the middle two columns stay.
    expect([...preprocess(wide, pipeline, [2, 2, 1]).data]).toEqual([17, 19, 41, 43])
  })

  it('refuses a picture that does not end at the input', () => {
    expect(() => preprocess(picture, mnist, [28, 28, 1])).toThrow(
      /becomes \[7, 5, 1\], but the network takes \[28, 28, 1\]/,
    )
  })

  it('is undone for display', () => {
    const caffe = Preprocessing.parse({ channelOrder: 'bgr', scale: 1, mean: [104, 117, 123], std: [1, 2, 4] })
    const input = preprocess(picture, caffe, shape)
    expect([...toPicture(input.data, input.shape, caffe).data]).toEqual([...picture.data])
    expect([...toPicture([1e6, -1e6, 0], [1, 1, 3], caffe).data]).toEqual([123, 0, 255])
  })
})

describe('inputRange', () => {
  it('is what black and white become', () => {
    const caffe = Preprocessing.parse({ channelOrder: 'bgr', scale: 1, mean: [104, 117, 123], std: [1, 2, 4] })
    const { low, high } = inputRange(caffe, [1, 1, 3])
    expect([...low]).toEqual([-104, -117 / 2, -123 / 4])
    expect([...high]).toEqual([255 - 104, (255 - 117) / 2, (255 - 123) / 4])
    const inverted = inputRange(Preprocessing.parse({ channelOrder: 'grey', scale: -1, mean: [-255] }), [1, 1, 1])
    expect([...inverted.low, ...inverted.high]).toEqual([0, 255])
  })
})

describe('a mean picture', () => {
  const spec = NetworkSpec.parse({
    format: 'convscope-network',
    version: 1,
    name: 'means',
    title: 'Means',
    preprocessing: { channelOrder: 'bgr', scale: 1, mean: [1, 1, 1], std: [1, 2, 4], meanImage: 'preprocessing/mean' },
    layers: [
      { name: 'input', type: 'input', shape: [1, 2, 3] },
      { name: 'relu', type: 'relu' },
    ],
  })
  const tensor = (shape: number[]) =>
    new Map([['preprocessing/mean', { dtype: 'F32' as const, shape, data: Float32Array.of(10, 20, 30, 40, 50, 60) }]])

  it('is subtracted place by place, in network order, and added again for display', () => {
    const { preprocessing } = withMeanImage(spec, tensor([1, 2, 3]))
    const pixels = { shape: [1, 2, 3] as const, data: Uint8Array.of(30, 20, 10, 61, 52, 43) }
    const input = preprocess(pixels, preprocessing, [1, 2, 3])
    expect([...input.data]).toEqual([0, 0, 0, 3, 1, 0.25])
    expect([...toPicture(input.data, [1, 2, 3], preprocessing).data]).toEqual([...pixels.data])
    expect([...inputRange(preprocessing, [1, 2, 3]).low]).toEqual([-10, -10, -7.5, -40, -25, -15])
    expect(JSON.parse(JSON.stringify(preprocessing))).toEqual(spec.preprocessing)
  })

  it('is asked for where it is missing, of another shape, or not loaded', () => {
    expect(() => withMeanImage(spec, new Map())).toThrow(/mean picture of the network means is missing/)
    expect(() => withMeanImage(spec, tensor([2, 1, 3]))).toThrow(/of shape \[2, 1, 3\] and not \[1, 2, 3\]/)
    const pixels = { shape: [1, 2, 3] as const, data: new Uint8Array(6) }
    expect(() => preprocess(pixels, spec.preprocessing, [1, 2, 3])).toThrow(/was not loaded/)
  })
})
