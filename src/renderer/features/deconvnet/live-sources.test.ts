import { describe, expect, it, vi } from 'vitest'
import { datasetSource, folderSource, type DecodePicture, type PaintPicture } from './live-sources.ts'

it('goes through a split from a picture on, and begins again', async () => {
  const source = datasetSource('digits', { name: 'test', count: 3 }, 1)
  const indices = []
  for (let i = 0; i < 4; i++) indices.push((await source.next()).frame)
  expect(indices).toEqual([1, 2, 0, 1].map((index) => ({ dataset: 'digits', split: 'test', index })))
  await expect(datasetSource('digits', { name: 'test', count: 0 }, 0).next()).rejects.toMatchObject({
    code: 'not-found',
  })
})

describe('a folder', () => {
  const picture = (name: string, type = 'image/png'): File => new File(['x'], name, { type })
  const closed = vi.fn()
  const decode: DecodePicture = async (file) => {
    if (file.name.startsWith('bad')) throw new Error('no picture')
    return { picture: file.name as unknown as CanvasImageSource, width: 8, height: 6, close: closed }
  }
  const paint: PaintPicture = (_, from, to, invert) => ({
    ...to,
    channels: 1,
    pixels: new Uint8Array([from.width, invert ? 1 : 0]),
  })
  const wish = () => ({ size: { width: 2, height: 1 }, invert: true })

  it('shows its pictures by name, and leaves out what cannot be read', async () => {
    const files = ['b10.png', 'bad.png', 'b9.png', 'notes.txt'].map((name) =>
      picture(name, name.endsWith('txt') ? 'text/plain' : undefined),
    )
    const source = folderSource(files, wish, decode, paint)
    const names = []
    for (let i = 0; i < 5; i++) names.push((await source.next()).name)
    expect(names).toEqual(['b9.png', 'b10.png', 'b9.png', 'b10.png', 'b9.png'])
    expect((await source.next()).frame).toEqual({ width: 2, height: 1, channels: 1, pixels: new Uint8Array([8, 1]) })
    expect(closed).toHaveBeenCalledTimes(6)
  })

  it('says when there is nothing to be seen', async () => {
    expect(() => folderSource([picture('notes.txt', 'text/plain')], wish, decode, paint)).toThrow(
      'None of the 1 files of the folder is a picture',
    )
    const source = folderSource([picture('bad1.png'), picture('bad2.png')], wish, decode, paint)
    await expect(source.next()).rejects.toThrow('None of the 2 pictures of the folder can be read')
  })
})
