import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OutputDelivery } from '../../shared/wire/protocol.ts'
import { sha256 } from '../platform/hash.ts'
import { readOutputs, receiveOutputs } from './output-intake.ts'

let folder: string
let scratch: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-intake-'))
  scratch = join(folder, 'scratch')
  await mkdir(scratch)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const bytes = new Uint8Array([1, 2, 3])
const record = { name: 'array', kind: 'array' as const, sha256: sha256(bytes), bytes: 3 }
const keepAll = () => {
  const kept: OutputDelivery[] = []
  return { kept, keep: async (delivery: OutputDelivery) => (kept.push(delivery), delivery.record) }
}

async function inScratch(name: string, contents = bytes): Promise<string> {
  await writeFile(join(scratch, name), contents)
  return join(scratch, name)
}

describe('receiveOutputs', () => {
  it('keeps what is as it was announced', async () => {
    const { kept, keep } = keepAll()
    const file = await inScratch('a.part')
    expect(
      await receiveOutputs(
        [
          { record, bytes },
          { record, file },
        ],
        scratch,
        keep,
      ),
    ).toEqual([record, record])
    expect(kept).toHaveLength(2)
    expect(existsSync(file)).toBe(false)
  })

  it('refuses other bytes, other sizes and missing files, and keeps nothing of them', async () => {
    const { kept, keep } = keepAll()
    const changed = await inScratch('changed.part', new Uint8Array([1, 2, 4]))
    const refused: OutputDelivery[] = [
      { record, bytes: new Uint8Array([1, 2, 4]) },
      { record: { ...record, bytes: 4 }, bytes },
      { record, file: changed },
      { record, file: join(scratch, 'missing.part') },
    ]
    for (const delivery of refused) {
      await expect(receiveOutputs([delivery], scratch, keep)).rejects.toMatchObject({ code: 'damaged' })
    }
    expect(kept).toEqual([])
    expect(existsSync(changed)).toBe(false)
  })

  /**
   * Attack: a worker that a hostile file has taken over names a file of the user's as its output, so that main moves it into the
   * project or deletes it. Invariant: only plain files directly in the session's own folder are read, moved or removed.
   */
  it('does not touch files outside of the scratch folder', async () => {
    const { kept, keep } = keepAll()
    const secret = join(folder, 'secret')
    await writeFile(secret, bytes)
    await symlink(secret, join(scratch, 'link.part'))
    const paths = [secret, join(scratch, '..', 'secret'), `${scratch}/../secret`, join(scratch, 'link.part')]
    for (const file of paths) {
      await expect(receiveOutputs([{ record, file }], scratch, keep)).rejects.toMatchObject({ code: 'damaged' })
      await expect(readOutputs([{ record, file }], scratch)).rejects.toMatchObject({ code: 'damaged' })
    }
    expect(kept).toEqual([])
    expect(existsSync(secret)).toBe(true)
  })
})
