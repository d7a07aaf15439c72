import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ConvScopeError } from '../../shared/errors.ts'
import { RunRecord } from '../../shared/runs.ts'
import { writeOutputFolder } from './output-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-output-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const hash = (digit: string): string => digit.repeat(64)
const run = RunRecord.parse({
  id: 'run-1',
  kind: 'deconvnet',
  title: 'A run',
  document: { kind: 'deconvnet' },
  documentHash: hash('d'),
  state: 'done',
  outputs: ['a', 'b', 'c'].map((name) => ({ name, kind: 'picture', sha256: hash(name), bytes: 1 })),
  createdAt: 1,
})

it('writes what can be read, and names the rest', async () => {
  const read = async (sha256: string): Promise<Uint8Array> => {
    if (sha256 === hash('b')) throw new ConvScopeError('damaged', 'it has other contents')
    return new Uint8Array(1)
  }
  const writing = writeOutputFolder(folder, run, read)
  await expect(writing).rejects.toMatchObject({ code: 'damaged', message: expect.stringContaining('b.png') as string })
  expect((await readdir(folder)).sort()).toEqual(['a.png', 'c.png', 'document.json'])
  const whole = await writeOutputFolder(folder, run, () => Promise.resolve(new Uint8Array(1)))
  expect(whole).toEqual(['a.png', 'b.png', 'c.png', 'document.json'])
})

it('gives up where the failure is not about one file', async () => {
  const read = () => Promise.reject(new ConvScopeError('disconnected', 'gone'))
  await expect(writeOutputFolder(folder, run, read)).rejects.toMatchObject({ code: 'disconnected' })
})
