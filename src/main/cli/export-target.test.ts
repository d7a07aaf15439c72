import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { exportTarget } from './export-target.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-export-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

it('takes a folder or a file, and replaces nothing unless told to', async () => {
  const inFolder = join(folder, 'net.zip')
  expect(await exportTarget(folder, 'net.zip', false)).toBe(inFolder)
  expect(await exportTarget(join(folder, 'mine.zip'), 'net.zip', false)).toBe(join(folder, 'mine.zip'))
  await writeFile(inFolder, 'mine')
  await expect(exportTarget(folder, 'net.zip', false)).rejects.toMatchObject({ code: 'conflict' })
  await expect(exportTarget(inFolder, 'other.zip', false)).rejects.toMatchObject({ code: 'conflict' })
  expect(await exportTarget(folder, 'net.zip', true)).toBe(inFolder)
})
