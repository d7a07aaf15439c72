import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { installationFolder } from './folders.ts'
import { loadAddon } from './tensorflow-addon.ts'
import { configProto } from './tensorflow.ts'

const root = installationFolder() ?? ''
const builder = join(root, 'native', 'build.mjs')
const folder = mkdtempSync(join(tmpdir(), 'convscope-addon-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const run = promisify(execFile)
const linux = process.platform === 'linux' && process.arch === 'x64'

describe('the TensorFlow addon', () => {
  test.runIf(linux)('was built from these sources', async () => {
    await expect(run(process.execPath, [builder, '--check'])).resolves.toMatchObject({ stderr: '' })
  })

  test.runIf(linux)('names what cannot be loaded', async () => {
    const addon = await loadAddon(folder)
    expect(() => addon.load(join(folder, 'nowhere'), new Uint8Array(), {}, false)).toThrow(
      /libtensorflow_framework.*No such file/,
    )
    expect(() => addon.load('', 'no bytes' as unknown as Uint8Array, {}, false)).toThrow('load takes')
  })

  test.runIf(linux)('tells to install a compiler where there is none', async () => {
    const environment = { PATH: folder }
    await expect(
      run(process.execPath, [builder, '--out', join(folder, 'x.node')], { env: environment }),
    ).rejects.toMatchObject({
      stderr: expect.stringContaining('no C++ compiler was found'),
    })
    expect(existsSync(join(folder, 'x.node'))).toBe(false)
  })

  test('gets its thread counts as a ConfigProto', () => {
    expect([...configProto(2, false)]).toEqual([0x10, 2, 0x28, 2])
    expect([...configProto(300, true)]).toEqual([0x10, 0xac, 2, 0x28, 0xac, 2, 0x32, 2, 0x20, 1])
  })
})
