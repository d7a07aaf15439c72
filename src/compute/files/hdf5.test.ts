import { describe, expect, it } from 'vitest'
import { exampleBytes, exampleFiles } from '../importers/testing/example-files.ts'
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

  it('refuse a text that claims a gigabyte before memory is taken for it', async () => {
    // Length, place of the heap, and number there of the text "conv1".
    const [bytes, place] = found('ta.weights.h5', [5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0])
    new DataView(bytes.buffer).setUint32(place, 2 ** 30, true)
    const file = await Hdf5File.open(sourceFileOf('claims.h5', bytes))
    const before = process.memoryUsage().external
    expect(() => file.text('/layers/conv2d/vars', 'name')).toThrow(/claims\.h5 .* more than \d+ bytes of memory/)
    expect(process.memoryUsage().external - before).toBeLessThan(2 ** 29)
    expect(file.text('/layers/conv2d_1/vars', 'name')).toBe('conv2')
    file.close()
  })

  it('refuse texts that would be looked for in one place for ever', async () => {
    const [bytes, place] = found('ta-keras3-legacy.h5', [...new TextEncoder().encode('ta/conv1/bias')])
    // The header of the entry before the text becomes one of free space of size 0.
    const file = await Hdf5File.open(sourceFileOf('endless.h5', bytes.fill(0, place - 16, place)))
    expect(() => file.texts('/model_weights/conv1', 'weight_names')).toThrow(/endless\.h5 cannot be read/)
    file.close()
  })
})

/** A copy of a good file, and the place of some bytes in it. */
function found(name: string, wanted: readonly number[]): [bytes: Uint8Array, place: number] {
  const [{ bytes } = { bytes: new Uint8Array(0) }] = exampleBytes(name)
  const place = Buffer.from(bytes).indexOf(Buffer.from(wanted))
  if (place < 0) throw new Error(`${name} has no such bytes`)
  return [bytes, place]
}
