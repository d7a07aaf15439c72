import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { INLINE_LIMIT_BYTES, OutputWriter } from './output-writer.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-outputs-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const large = new Uint8Array(INLINE_LIMIT_BYTES + 1)

it('puts what is large into files, and one of the same name in the place of the earlier one', async () => {
  const writer = new OutputWriter(folder)
  for (const bytes of [large, large.map(() => 1)]) await writer.put({ name: 'weights', kind: 'weights' }, bytes)
  expect(await readdir(folder)).toHaveLength(1)
  await writer.discardAll()
  expect(await readdir(folder)).toEqual([])
})

it('says which output cannot be written, and what to do', async () => {
  const writer = new OutputWriter(join(folder, 'gone'))
  await expect(writer.put({ name: 'weights', kind: 'weights' }, large)).rejects.toMatchObject({
    code: 'disk',
    message: expect.stringContaining('"weights" cannot be written: ENOENT') as string,
    remedy: expect.stringContaining('Make room') as string,
  })
  expect(writer.take()).toEqual([])
})
