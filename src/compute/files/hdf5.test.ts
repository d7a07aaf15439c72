import { describe, expect, it } from 'vitest'
import { exampleFiles } from '../importers/testing/example-files.ts'
import { Hdf5File } from './hdf5.ts'
import { sourceFileOf } from './source-file.ts'

const KERNEL = '/model_weights/conv1/conv1/kernel:0'

describe('HDF5 files', () => {
  it.for<[string, RegExp]>([
    ['link', /links to another file at .*kernel:0/],
    ['storage', /lie in another file/],
    ['virtual', /put together from other datasets/],
  ])('give nothing of other files: %s', async ([name, message]) => {
    const [source = sourceFileOf('', new Uint8Array(0))] = exampleFiles(`hostile/external-${name}.h5`)
    const file = await Hdf5File.open(source)
    expect(() => file.floats(KERNEL)).toThrow(message)
    file.close()
  })

  it('read values, texts and sizes', async () => {
    const [source = sourceFileOf('', new Uint8Array(0))] = exampleFiles('ta-keras2.h5')
    const file = await Hdf5File.open(source)
    expect(file.shape(KERNEL)).toEqual([3, 3, 1, 4])
    expect(file.floats(KERNEL)).toHaveLength(36)
    expect(file.texts('/model_weights/conv1', 'weight_names')).toEqual(['conv1/kernel:0', 'conv1/bias:0'])
    expect(file.text('/', 'no such attribute')).toBeUndefined()
    expect(file.kind('/nowhere/at/all')).toBe('absent')
    expect(() => file.floats('/nowhere')).toThrow(/no values at \/nowhere/)
    file.close()
  })
})
