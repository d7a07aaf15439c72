import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { renameDurably, writeDurably, writeFileAtomically, type WriteBytes } from './atomic-file.ts'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-file-'))
  file = join(folder, 'settings.json')
})

afterEach(() => rm(folder, { recursive: true }))

/** Some bytes arrive, then the disk refuses. */
const failing =
  (code: string): WriteBytes =>
  async (handle, bytes) => {
    await handle.write(bytes, 0, 1)
    throw Object.assign(new Error(code), { code })
  }

it('replaces a file as a whole', async () => {
  await writeFileAtomically(file, 'first')
  await writeFileAtomically(file, new Uint8Array([0x32]))
  expect(await readFile(file, 'utf8')).toBe('2')
  expect(await readdir(folder)).toEqual(['settings.json'])
})

it.each([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'quota'],
  ['EROFS', 'read-only'],
  ['EACCES', 'no permission'],
])('keeps the old file after %s, and names file, reason and remedy', async (code, reason) => {
  await writeFileAtomically(file, 'old')
  await expect(writeFileAtomically(file, 'new', { write: failing(code) })).rejects.toMatchObject({
    code: 'disk',
    message: expect.stringMatching(new RegExp(`settings\\.json.*${reason}`)),
    remedy: expect.stringMatching(/\w/),
    details: code,
  })
  expect(await readFile(file, 'utf8')).toBe('old')
  expect(await readdir(folder)).toEqual(['settings.json'])
})

it('does not write over what is there, nor remove it', async () => {
  await writeFile(file, 'somebody else')
  await expect(writeDurably(file, Buffer.from('mine'))).rejects.toMatchObject({ code: 'EEXIST' })
  expect(await readFile(file, 'utf8')).toBe('somebody else')
})

it('says what is missing', async () => {
  await expect(renameDurably(join(folder, 'nothing'), file)).rejects.toMatchObject({ code: 'not-found' })
  await expect(writeFileAtomically(join(folder, 'no', 'folder'), 'x')).rejects.toMatchObject({ code: 'not-found' })
})

it('leaves what is no error of the disk as it is', async () => {
  const defect: WriteBytes = () => Promise.reject(new RangeError('a defect'))
  await expect(writeFileAtomically(file, 'x', { write: defect })).rejects.toBeInstanceOf(RangeError)
})
