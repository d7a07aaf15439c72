import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeFolder } from './make-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convscope-make-folder-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

it('makes the folder and those above it, and is content with what is there', async () => {
  const deep = join(folder, 'one', 'two', 'three')
  await makeFolder(deep)
  await makeFolder(deep)
  expect(statSync(deep).isDirectory()).toBe(true)
})

it('names the folder where a file stands in its place', async () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  await expect(makeFolder(file)).rejects.toThrow(/EEXIST/)
})

it.runIf(process.platform === 'linux')(
  'refuses a place where a file system takes no folders, and returns',
  async () => {
    await expect(makeFolder('/proc/convscope/project')).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringContaining('/proc/convscope/project'),
    })
  },
)
