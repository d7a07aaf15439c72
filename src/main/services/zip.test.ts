import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { zipArchive } from './zip.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-zip-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function archive(contents: Record<string, Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  const entries = Object.entries(contents).map(([name, bytes]) => ({ name, read: () => Promise.resolve(bytes) }))
  for await (const piece of zipArchive(entries)) pieces.push(piece)
  return Buffer.concat(pieces)
}

it('writes archives that Python reads and finds whole', async () => {
  const contents = { 'result.json': Buffer.from('{"a":1}'), 'näme.npy': Buffer.alloc(1000, 7), empty: Buffer.alloc(0) }
  const file = join(folder, 'run.zip')
  await writeFile(file, await archive(contents))
  const script = `import json,sys,zipfile
z=zipfile.ZipFile(sys.argv[1])
print(json.dumps([z.testzip(), {n: z.read(n).hex() for n in z.namelist()}]))`
  const { stdout } = await promisify(execFile)('python3', ['-c', script, file])
  const expected = Object.fromEntries(Object.entries(contents).map(([name, bytes]) => [name, bytes.toString('hex')]))
  expect(JSON.parse(stdout)).toEqual([null, expected])
})

it('gives the same bytes for the same contents', async () => {
  const contents = { a: Buffer.from('a'), b: Buffer.from('b') }
  expect(await archive(contents)).toEqual(await archive(contents))
})
