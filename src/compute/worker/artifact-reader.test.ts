import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { artifactReader } from './artifact-reader.ts'

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-artifacts-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function store(sha256: string, text: string): Promise<void> {
  await mkdir(join(folder, sha256.slice(0, 2)), { recursive: true })
  await writeFile(join(folder, sha256.slice(0, 2), sha256), text)
}

describe('artifactReader', () => {
  it('looks at single files, then at the folders in order', async () => {
    const [first, second] = [hashOf('first'), hashOf('second')]
    await writeFile(join(folder, 'first.bin'), 'first')
    await store(second, 'second')
    const read = artifactReader({
      artifactFiles: { [first]: join(folder, 'first.bin') },
      artifactFolders: [join(folder, 'absent'), folder],
    })
    expect(Buffer.from(await read(first)).toString()).toBe('first')
    expect(Buffer.from(await read(second)).toString()).toBe('second')
  })

  it('refuses bytes with another hash, and says which artifact is missing', async () => {
    const sha256 = hashOf('original')
    await store(sha256, 'changed')
    const read = artifactReader({ artifactFiles: {}, artifactFolders: [folder] })
    await expect(read(sha256)).rejects.toMatchObject({ code: 'damaged' })
    await expect(read(hashOf('nowhere'))).rejects.toMatchObject({ code: 'not-found' })
  })

  it.runIf(process.platform !== 'win32')('neither waits at a pipe nor reads a device without end', async () => {
    const read = artifactReader({ artifactFiles: {}, artifactFolders: [folder] })
    for (const name of ['pipe', 'device']) {
      const sha256 = hashOf(name)
      const file = join(folder, sha256.slice(0, 2), sha256)
      await mkdir(join(folder, sha256.slice(0, 2)), { recursive: true })
      if (name === 'pipe') execFileSync('mkfifo', [file])
      else await symlink('/dev/zero', file)
      await expect(read(sha256), name).rejects.toMatchObject({ code: 'not-found' })
    }
  })
})
