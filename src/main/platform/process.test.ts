import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import description from '../../../package.json' with { type: 'json' }
import { isOwnEndpoint, newEndpoint, removeEndpoint } from './endpoint.ts'
import { hashFile, hashJson, sha256 } from './hash.ts'
import { isAlive, isSameProcess, processStart } from './process-start.ts'
import { PLATFORM, PROGRAM } from './program.ts'

it('knows a living process from a dead one and from another with its number', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'])
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const start = processStart(pid)
  expect(isSameProcess(pid, start)).toBe(true)
  expect(processStart(pid)).toBe(start)
  if (start !== undefined) expect(isSameProcess(pid, `${start}0`)).toBe(false)
  child.kill('SIGKILL')
  await once(child, 'close')
  expect(isAlive(pid)).toBe(false)
  expect(isSameProcess(pid, start)).toBe(false)
  expect(isSameProcess(process.pid, processStart(process.pid))).toBe(true)
})

it.runIf(process.platform !== 'win32')(
  'gives endpoints that can be listened on, in a folder of the user alone',
  async () => {
    const endpoint = newEndpoint()
    expect(endpoint).not.toBe(newEndpoint())
    const server = createServer().listen(endpoint)
    await once(server, 'listening')
    expect((await stat(dirname(endpoint))).mode & 0o077).toBe(0)
    const closed = once(server, 'close')
    server.close()
    await closed
    removeEndpoint(endpoint)
    await expect(stat(endpoint)).rejects.toMatchObject({ code: 'ENOENT' })
  },
)

it.runIf(process.platform !== 'win32')('knows its own endpoints from all other names', async () => {
  const endpoint = newEndpoint()
  expect(isOwnEndpoint(endpoint)).toBe(true)
  const name = basename(endpoint)
  const open = await mkdtemp(join(tmpdir(), 'convscope-endpoint-'))
  const others = join(open, basename(dirname(endpoint)))
  await mkdir(others, { mode: 0o777 })
  await chmod(others, 0o777)
  for (const foreign of [
    '/var/run/docker.sock',
    join(open, name),
    join(others, name),
    `${dirname(endpoint)}/../${basename(dirname(endpoint))}/${name}`,
    `${endpoint}.d/agent.sock`,
    name,
  ]) {
    expect(isOwnEndpoint(foreign), foreign).toBe(false)
  }
  await writeFile(join(others, name), '')
  removeEndpoint(join(others, name))
  expect(await readdir(others)).toEqual([name])
  await rm(open, { recursive: true })
})

it('names pipes on Windows', () => {
  expect(isOwnEndpoint(newEndpoint('win32'), 'win32')).toBe(true)
  expect(isOwnEndpoint('\\\\elsewhere\\pipe\\convscope-0123456789abcdef', 'win32')).toBe(false)
  expect(newEndpoint('win32')).toMatch(/^\\\\\.\\pipe\\convscope-[0-9a-f]{16}$/)
})

it('names program and platform as runs record them', () => {
  expect(PROGRAM).toBe(`ConvScope ${description.version}`)
  expect(PLATFORM).toBe(`${process.platform} ${process.arch}, Node ${process.versions.node}`)
})

it('hashes bytes, files and JSON whatever the order of its members', async () => {
  expect(sha256('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(hashJson({ b: 1, a: [2] })).toBe(sha256('{"a":[2],"b":1}'))
  const own = await hashFile(import.meta.filename)
  expect(own.bytes).toBe((await stat(import.meta.filename)).size)
  await expect(hashFile('/nowhere/at/all')).rejects.toMatchObject({ code: 'not-found' })
})
