import { describe, expect, it } from 'vitest'
import { datasetSource, folderSource } from './live-sources.ts'

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
  const picture = (name: string, type = 'image/png'): File => new File([name], name, { type })
  const wish = () => ({ invert: true })

  it('gives its pictures as they are, by name, without those that are left out', async () => {
    const files = ['b10.png', 'bad.png', 'b9.png', 'notes.txt'].map((name) =>
      picture(name, name.endsWith('txt') ? 'text/plain' : undefined),
    )
    const source = folderSource(files, wish)
    const names = []
    for (let i = 0; i < 7; i++) {
      const { name, leaveOut } = await source.next()
      names.push(name)
      if (name === 'bad.png') leaveOut?.()
    }
    expect(names).toEqual(['b9.png', 'b10.png', 'bad.png', 'b9.png', 'b10.png', 'b9.png', 'b10.png'])
    expect((await source.next()).frame).toEqual({ file: new TextEncoder().encode('b9.png'), invert: true })
  })

  it('says when there is nothing to be seen', async () => {
    expect(() => folderSource([picture('notes.txt', 'text/plain')], wish)).toThrow(
      'None of the 1 files of the folder is a picture',
    )
    const source = folderSource([picture('bad1.png'), picture('bad2.png')], wish)
    const [first, second] = [await source.next(), await source.next()]
    for (const { leaveOut } of [first, second, first]) leaveOut?.()
    await expect(source.next()).rejects.toThrow('None of the 2 pictures of the folder can be read')
  })
})
