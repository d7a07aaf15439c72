import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sha256 } from '../platform/hash.ts'
import { ArtifactStore } from './artifact-store.ts'
import { temporaryFolder } from './testing/samples.ts'

let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let store: ArtifactStore

beforeEach(async () => {
  temporary = await temporaryFolder()
  store = new ArtifactStore(temporary.folder)
  await store.prepare()
})

afterEach(() => temporary.remove())

const text = async (hash: string) => Buffer.from(await store.read(hash)).toString()

async function streamed(hash: string): Promise<string> {
  const { stream } = await store.open(hash)
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}

it('keeps bytes under their hash, once', async () => {
  const first = await store.put(Buffer.from('hello'))
  expect(await store.put(Buffer.from('hello'))).toEqual(first)
  expect(first).toEqual({ sha256: sha256('hello'), bytes: 5 })
  expect(store.path(first.sha256)).toBe(join(store.folder, first.sha256.slice(0, 2), first.sha256))
  expect(await text(first.sha256)).toBe('hello')
  expect(await streamed(first.sha256)).toBe('hello')
  const { bytes, stream } = await store.open(first.sha256)
  expect(bytes).toBe(5)
  const closed = once(stream, 'close')
  stream.destroy()
  await closed
  expect(await readdir(store.scratchFolder)).toEqual([])
  expect((await store.list()).artifacts).toMatchObject([first])
})

it('survives the same bytes being stored many times at once', async () => {
  const results = await Promise.all(Array.from({ length: 20 }, () => store.put(Buffer.from('at once'))))
  expect(new Set(results.map((result) => result.sha256)).size).toBe(1)
  expect(await text(sha256('at once'))).toBe('at once')
  expect(await readdir(store.scratchFolder)).toEqual([])
})

it('adopts a finished file, and refuses one with another hash or from elsewhere', async () => {
  const file = store.scratchFile()
  await writeFile(file, 'by a worker')
  expect(await store.adopt(file, sha256('by a worker'))).toEqual({ sha256: sha256('by a worker'), bytes: 11 })
  expect(await text(sha256('by a worker'))).toBe('by a worker')
  const wrong = store.scratchFile()
  await writeFile(wrong, 'something else')
  await expect(store.adopt(wrong, sha256('announced'))).rejects.toMatchObject({ code: 'damaged' })
  expect(await readdir(store.scratchFolder)).toEqual([])
  const outside = join(temporary.folder, 'outside')
  await writeFile(outside, 'private')
  await expect(store.adopt(outside, sha256('private'))).rejects.toMatchObject({ code: 'invalid-input' })
  const through = join(store.scratchFolder, '..', 'outside')
  await expect(store.adopt(through, sha256('private'))).rejects.toMatchObject({ code: 'invalid-input' })
  const link = store.scratchFile()
  await symlink(outside, link)
  await expect(store.adopt(link, sha256('private'))).rejects.toMatchObject({ code: 'not-found' })
})

it('finds what is missing, and what was changed or cut off', async () => {
  const stored = await Promise.all(['one', 'two', 'three', 'four'].map((word) => store.put(Buffer.from(word))))
  const [one, two, three] = stored.map((artifact) => artifact.sha256)
  await store.remove([one!])
  // It was stored and not yet named by anything, so it stays.
  expect(await store.has(one!)).toBe(true)
  store.settle([one!])
  await store.remove([one!])
  await writeFile(store.path(two!), 'TWO')
  await truncate(store.path(three!), 2)
  expect(await store.check(stored)).toEqual({ missing: [one], damaged: [three] })
  expect(await store.check(stored, { full: true })).toEqual({ missing: [one], damaged: [two, three] })
  await expect(store.read(one!)).rejects.toMatchObject({ code: 'not-found' })
  await expect(store.read(two!)).rejects.toMatchObject({ code: 'damaged' })
  await expect(streamed(two!)).rejects.toMatchObject({ code: 'damaged' })
  // Stored again, a damaged one of another size is replaced.
  await store.put(Buffer.from('three'))
  expect(await text(three!)).toBe('three')
})

it('reads built-in files where they lie and never removes them', async () => {
  const file = join(temporary.folder, 'weights.safetensors')
  await writeFile(file, 'built in')
  store.addBuiltIn(file, sha256('built in'))
  expect(store.path(sha256('built in'))).toBe(file)
  expect(await text(sha256('built in'))).toBe('built in')
  expect(await store.put(Buffer.from('built in'))).toMatchObject({ bytes: 8 })
  store.settle([sha256('built in')])
  await store.remove([sha256('built in')])
  expect(await text(sha256('built in'))).toBe('built in')
  expect((await store.list()).artifacts).toEqual([])
})

it('throws half-written files away when it is prepared again', async () => {
  await writeFile(store.scratchFile(), 'half')
  await store.prepare()
  expect(await readdir(store.scratchFolder)).toEqual([])
})

it.runIf(process.platform !== 'win32')('does not wait at a pipe that lies where an artifact should', async () => {
  const pipe = store.path(sha256('pipe'))
  await mkdir(dirname(pipe), { recursive: true })
  execFileSync('mkfifo', [pipe])
  await expect(store.read(sha256('pipe'))).rejects.toMatchObject({ code: 'not-found' })
  await expect(store.open(sha256('pipe'))).rejects.toMatchObject({ code: 'not-found' })
})

it('does not follow links or names that lead elsewhere', async () => {
  const secret = join(temporary.folder, 'secret')
  await writeFile(secret, 'secret')
  const target = store.path(sha256('secret'))
  await mkdir(dirname(target), { recursive: true })
  await symlink(secret, target)
  expect(await store.has(sha256('secret'))).toBe(false)
  await expect(store.read(sha256('secret'))).rejects.toMatchObject({ code: 'not-found' })
  expect((await store.list()).strangers).toEqual([join(sha256('secret').slice(0, 2), sha256('secret'))])
  for (const name of ['../secret', 'a'.repeat(63), sha256('x').toUpperCase(), '']) {
    expect(() => store.path(name)).toThrow(expect.objectContaining({ code: 'invalid-input' }))
  }
})
