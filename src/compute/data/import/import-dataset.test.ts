import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeSafetensors } from '../../network/safetensors.ts'
import { isUniform } from '../dataset-split.ts'
import { uniformSplit } from '../uniform-split.ts'
import { ImportFolder } from './testing/import-folder.ts'

const conformance = join(import.meta.dirname, '../../../../tests/conformance')
const file = (name: string): string => join(conformance, 'files', name)
let folder: ImportFolder
let expected: (name: string) => number[]

beforeAll(async () => {
  folder = await ImportFolder.create()
  const arrays = decodeSafetensors(await readFile(join(conformance, 'files-datasets.safetensors')))
  expected = (name) => [...(arrays.get(name)?.data ?? [])]
})
afterAll(() => folder.remove())

describe('files of the original formats', () => {
  it.each([[['images.idx3-ubyte', 'labels.idx1-ubyte']], [['labels.idx1-ubyte.gz', 'images.idx3-ubyte.gz']]])(
    'reads MNIST (%s)',
    async (names) => {
      const { result, split } = await folder.import(names.map(file))
      expect(result).toMatchObject({ format: 'pixels', shape: [28, 28, 1], origin: { format: 'IDX', refused: 0 } })
      const data = await uniformSplit(await split('all'))
      expect([...data.images]).toEqual(expected('idx/images'))
      expect([...data.labels]).toEqual(expected('idx/labels'))
    },
  )

  it.each(['cifar-10-binary.tar.gz', 'cifar-10-python.tar.gz'])('reads %s as downloaded', async (name) => {
    const { result, split } = await folder.import([file(name)])
    expect(result.classes).toEqual('airplane automobile bird cat deer dog frog horse ship truck'.split(' '))
    expect(result.splits.map((part) => [part.name, part.count])).toEqual([
      ['train', 15],
      ['test', 3],
    ])
    for (const part of ['train', 'test']) {
      const data = await uniformSplit(await split(part))
      expect([...data.images]).toEqual(expected(`cifar/${part}/images`))
      expect([...data.labels]).toEqual(expected(`cifar/${part}/labels`))
    }
  })

  it.each(['data_batch_1', 'data_batch_1.bin'])('reads one batch of CIFAR alone (%s)', async (name) => {
    const { split } = await folder.import([file(name)])
    const data = await uniformSplit(await split('train'))
    expect([...data.images]).toEqual(expected('cifar/train/images').slice(0, 3 * 3072))
    expect([...data.labels]).toEqual(expected('cifar/train/labels').slice(0, 3))
  })
})

describe('files that were sent one by one', () => {
  it('keep the folders that they were chosen in', async () => {
    const png = (red: number): Promise<Buffer> =>
      sharp({ create: { width: 4, height: 3, channels: 3, background: { r: red, g: 0, b: 0 } } })
        .png()
        .toBuffer()
    const sources = await Promise.all(
      ['pets/cats/1.png', 'pets/dogs/1.png', 'pets/dogs/2.png', 'pets/notes.csv'].map(async (name, index) => ({
        name,
        path: await folder.write(`sent/${index}`, name.endsWith('.csv') ? 'a note' : await png(index)),
      })),
    )
    const { result, split } = await folder.import([], { sources })
    expect(result).toMatchObject({ classes: ['cats', 'dogs'], origin: { files: ['pets'], refused: 0 } })
    expect([...(await split('all')).labels]).toEqual([0, 1, 1])
  })
})

it('says what to do with an archive that is not read', async () => {
  const path = await folder.write('data.tar.xz', new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4]))
  await expect(folder.import([path])).rejects.toMatchObject({ remedy: expect.stringMatching(/^Unpack it/) as string })
})

describe('two data sets at once', () => {
  it.each([
    [
      ['images.idx3-ubyte', 'labels.idx1-ubyte', 'cifar-10-binary.tar.gz'],
      /cifar-10-binary\.tar\.gz is an archive, and images/,
    ],
    [
      ['images.idx3-ubyte', 'labels.idx1-ubyte', 'data_batch_1.bin'],
      /There are two data sets in .*: CIFAR-10.* and IDX/,
    ],
    [['data_batch_1', 'data_batch_1.bin'], /two data sets in .*: CIFAR-10 \(Python\).* and CIFAR-10 \(binary\)/],
    [
      ['cifar-10-binary.tar.gz', 'cifar-10-python.tar.gz'],
      /cifar-10-binary\.tar\.gz is an archive, and cifar-10-python/,
    ],
    [['images.idx3-ubyte', 'labels.idx1-ubyte', 'ta.onnx'], /ta\.onnx .* is no part of the data set IDX/],
    [['images.idx3-ubyte', 'images.idx3-ubyte.gz'], /both hold the pictures of the split all/],
  ])('are refused by name: %j', async (names, message) => {
    await expect(folder.import(names.map(file))).rejects.toMatchObject({
      message: expect.stringMatching(message) as string,
      remedy: expect.any(String) as string,
    })
  })

  it('are looked for in one folder, too, but notes beside one are not', async () => {
    const [images, labels, batch] = await Promise.all(
      ['images.idx3-ubyte', 'labels.idx1-ubyte', 'data_batch_1.bin'].map((name) => readFile(file(name))),
    )
    await folder.write('both/images.idx3-ubyte', images ?? '')
    await folder.write('both/labels.idx1-ubyte', labels ?? '')
    await folder.write('both/readme.html', '<html></html>')
    const { result } = await folder.import([join(folder.path, 'both')])
    expect(result.origin?.format).toBe('IDX')
    await folder.write('both/data_batch_1.bin', batch ?? '')
    await expect(folder.import([join(folder.path, 'both')])).rejects.toThrow(/two data sets in both/)
  })
})

describe('pictures', () => {
  const picture = (red: number, width = 4): Promise<Buffer> =>
    sharp({ create: { width, height: 3, channels: 3, background: { r: red, g: 0, b: 0 } } })
      .png()
      .toBuffer()

  it('takes folders of pictures below train and test, classes and pictures in the order of their names', async () => {
    for (const [place, red] of [
      ['train/dog/b.png', 30],
      ['train/dog/a.png', 20],
      ['train/cat/z.png', 10],
      ['test/dog/1.png', 40],
    ] as const) {
      await folder.write(`animals/${place}`, await picture(red))
    }
    await folder.write('animals/README.txt', 'not a picture')
    const { result, split, steps } = await folder.import([join(folder.path, 'animals')])
    expect(result).toMatchObject({ format: 'pixels', shape: [3, 4, 3], classes: ['cat', 'dog'], refused: [] })
    const train = await uniformSplit(await split('train'))
    expect([...train.labels]).toEqual([0, 1, 1])
    expect([0, 1, 2].map((index) => train.images[index * 36])).toEqual([10, 20, 30])
    expect([...(await split('test')).labels]).toEqual([1])
    expect(steps.at(-1)).toEqual([4, 4, 'pictures'])
  })

  it('keeps those of different sizes as files, packed or in place', async () => {
    await folder.write('sizes/one.png', await picture(1, 4))
    await folder.write('sizes/two.png', await picture(2, 5))
    const copied = await folder.import([join(folder.path, 'sizes')])
    expect(copied.result).toMatchObject({ format: 'pictures', shape: null, classes: [], location: undefined })
    const inPlace = await folder.import([join(folder.path, 'sizes')], { inPlace: true })
    expect(inPlace.result).toMatchObject({ location: join(folder.path, 'sizes'), splits: [{ name: 'all', count: 2 }] })
    for (const { split } of [copied, inPlace]) {
      const data = await split('all')
      expect(isUniform(data)).toBe(false)
      expect([...data.labels]).toEqual([-1, -1])
      expect((await data.picture(1)).shape).toEqual([3, 5, 3])
      expect((await data.picture(1)).data[0]).toBe(2)
    }
  })

  it('keeps the good ones beside broken ones and tells which are broken and why', async () => {
    const jpeg = await sharp(await picture(9, 60))
      .jpeg()
      .toBuffer()
    await folder.write('mixed/a/cut.jpg', jpeg.subarray(0, jpeg.length - 60))
    await folder.write('mixed/a/empty.jpg', '')
    await folder.write('mixed/a/page.png', '<html>')
    await folder.write('mixed/b/good.jpg', jpeg)
    await folder.write('mixed/b/old.bmp', 'BM')
    const { result, split } = await folder.import([join(folder.path, 'mixed')])
    expect(result.origin.refused).toBe(4)
    expect(result.refused.map(({ name }) => name).sort()).toEqual([
      'a/cut.jpg',
      'a/empty.jpg',
      'a/page.png',
      'b/old.bmp',
    ])
    for (const { reason } of result.refused) expect(reason).not.toContain('\n')
    expect([...(await split('all')).labels]).toEqual([1])
    await rm(join(folder.path, 'mixed/b'), { recursive: true })
    await expect(folder.import([join(folder.path, 'mixed')])).rejects.toMatchObject({ code: 'damaged' })
  })

  it('takes labels from a file, and names of classes', async () => {
    for (const name of ['x', 'y', 'z']) await folder.write(`flat/${name}.png`, await picture(5))
    const labels = { name: 'labels.csv', path: await folder.write('labels.csv', 'file,label\nx.png,wolf\nz.png,fox\n') }
    const paths = [join(folder.path, 'flat')]
    const named = await folder.import(paths, { labels })
    expect(named.result.classes).toEqual(['fox', 'wolf'])
    expect([...(await named.split('all')).labels]).toEqual([1, -1, 0])
    const classes = { name: 'classes.txt', path: await folder.write('classes.txt', 'wolf\nbear\nfox\n') }
    const ordered = await folder.import(paths, { labels, classes })
    expect([...(await ordered.split('all')).labels]).toEqual([0, -1, 2])
    const wrong = { name: 'wrong.csv', path: await folder.write('wrong.csv', 'x.png,1\nq.png,2\n') }
    await expect(folder.import(paths, { labels: wrong })).rejects.toThrow('Line 2 of wrong.csv')
  })

  it('stops where nobody wants it any more and leaves nothing behind', async () => {
    for (let index = 0; index < 40; index++) await folder.write(`many/${index}.png`, await picture(index))
    await expect(folder.import([join(folder.path, 'many')], { cancelAfter: 60 })).rejects.toThrow('nobody wants it')
    const scratch = (await readdir(folder.path)).filter((name) => name.startsWith('.scratch')).sort()
    const last = scratch
      .map((name) => [Number(name.slice(9)), name] as const)
      .sort((a, b) => a[0] - b[0])
      .at(-1)?.[1]
    expect(await readdir(join(folder.path, last ?? ''))).toEqual([])
  })
})

describe('damaged files', () => {
  it.each([
    ['truncated-images.idx3-ubyte', 'ends early'],
    ['truncated-images.idx3-ubyte.gz', 'cannot be read'],
    ['truncated-cifar-10-python.tar.gz', 'truncated-cifar-10-python.tar.gz cannot be unpacked'],
    ['truncated-data_batch_1', 'ends early'],
    ['truncated-data_batch_1.bin', 'no whole number of CIFAR-10 records'],
    ['empty-images.idx3-ubyte', 'is empty'],
    ['wrong-magic.idx', 'two zero bytes'],
    ['unknown-type.idx', '0x07'],
    ['lying-count.idx', 'ends early'],
    ['huge-dims.idx', 'the limit is'],
    ['trailing-bytes.idx', 'after its end'],
    ['bomb.idx.gz', 'more than'],
    ['size-not-multiple.bin', 'size-not-multiple.bin has 9218 bytes'],
    ['label-17.bin', 'label 17 at picture 1'],
    ['unsafe.pkl', 'nothing was executed'],
  ])('refuses %s and names it and the reason', async (name, reason) => {
    const importing = folder.import([file(`damaged/${name}`)])
    await expect(importing).rejects.toMatchObject({ name: 'ConvScopeError', remedy: expect.any(String) as string })
    await expect(folder.import([file(`damaged/${name}`)])).rejects.toThrow(reason)
    await expect(folder.import([file(`damaged/${name}`)])).rejects.toThrow(name)
  })

  it('reads a plain file that is called gzip, by its contents', async () => {
    const { result } = await folder.import([file('damaged/not-gzip.idx.gz')])
    expect(result.splits).toMatchObject([{ count: 5 }])
  })

  it('tells what it was given instead of a data set', async () => {
    const importing = folder.import([await folder.write('page.html', '<!doctype html><html>')])
    await expect(importing).rejects.toThrow('page.html is an HTML page')
  })
})
