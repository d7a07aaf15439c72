import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256, zipOf } from '../testing/fake-wheel.ts'
import { extractEntry, listZip } from './zip.mjs'

const entries = {
  'a/deflated.bin': Buffer.alloc(2_500_000, 'abc'),
  'a/stored.bin': Buffer.from('stored'),
  'empty.txt': Buffer.alloc(0),
}
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'convscope-zip-'))
  path = join(folder, 'some.zip')
  writeFileSync(path, zipOf(entries))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('reading a zip file', () => {
  it('lists names and sizes', async () => {
    const listed = await listZip(path)
    expect(listed.map(({ name, size }: { name: string; size: number }) => [name, size])).toEqual(
      Object.entries(entries).map(([name, content]) => [name, content.length]),
    )
  })

  it.each(['a/deflated.bin', 'a/stored.bin'] as const)('extracts %s', async (name) => {
    const entry = (await listZip(path)).find((candidate) => candidate.name === name)!
    const target = join(folder, 'out')
    let last = 0
    const result = await extractEntry(path, entry, target, { onBytes: (written) => (last = written) })
    expect(result).toEqual({ size: entries[name].length, sha256: sha256(entries[name]) })
    expect(last).toBe(entries[name].length)
    expect(readFileSync(target)).toEqual(entries[name])
  })

  it('refuses what is cut short or no zip file', async () => {
    const whole = zipOf(entries)
    writeFileSync(path, whole.subarray(0, whole.length - 30))
    await expect(listZip(path)).rejects.toThrow(/not a zip file|cut short/)
    writeFileSync(path, 'no')
    await expect(listZip(path)).rejects.toThrow(/not a zip file/)
  })

  it('notices damaged content', async () => {
    const [entry] = await listZip(path)
    const damaged = zipOf(entries)
    damaged.fill(0xff, 60, 200)
    writeFileSync(path, damaged)
    await expect(extractEntry(path, entry!, join(folder, 'out'))).rejects.toThrow(/invalid|incorrect|declared/)
  })
})
