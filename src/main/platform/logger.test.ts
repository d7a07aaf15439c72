import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { configureLogging, createLogger, keepOutOfLog, redact } from './logger.ts'

let folder: string
let stderr: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-log-'))
  stderr = []
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr.push(String(text))
    return true
  })
})

afterEach(async () => {
  vi.restoreAllMocks()
  configureLogging({ stderr: 'warn', file: 'off', maxBytes: 2_000_000, keep: 4 })
  await rm(folder, { recursive: true })
})

it('writes from the chosen level on, with part and fields', async () => {
  const path = join(folder, 'logs', 'convscope.log')
  configureLogging({ stderr: 'error', file: 'info', path })
  const log = createLogger('part')
  log.debug('nothing')
  log.info('some', { count: 3 })
  log.error('much', { error: new TypeError('bad\nline') })
  expect(stderr).toHaveLength(1)
  expect(stderr[0]).toMatch(/^error part: much .*TypeError: bad.*line/)
  const lines = (await readFile(path, 'utf8')).trim().split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\S+Z info part: some \{"count":3\}$/)
})

it('sets full files aside and keeps a few', async () => {
  const path = join(folder, 'convscope.log')
  configureLogging({ stderr: 'off', file: 'info', path, maxBytes: 200, keep: 2 })
  const log = createLogger('part')
  for (let line = 0; line < 30; line++) log.info(`line ${line} ${'x'.repeat(40)}`)
  expect((await readdir(folder)).toSorted()).toEqual(['convscope.log', 'convscope.log.1', 'convscope.log.2'])
  expect(await readFile(path, 'utf8')).toContain('line 29')
  expect(await readFile(`${path}.1`, 'utf8')).not.toContain('line 29')
})

it('blanks what is secret', () => {
  keepOutOfLog('s3cr3t-of-this-process')
  for (const [text, clean] of [
    ['http://127.0.0.1:80/?token=abc123&x=1', 'http://127.0.0.1:80/?token=[redacted]&x=1'],
    ['{"token":"abc","name":"kept"}', '{"token":"[redacted]","name":"kept"}'],
    ['Authorization: Bearer abc', 'Authorization: [redacted]'],
    ['cookie: convscope-8080=abc; a=b', 'cookie: [redacted]'],
    ['https://user:pass@host/x', 'https://user:[redacted]@host/x'],
    ['has s3cr3t-of-this-process inside', 'has [redacted] inside'],
    [`artifact ${'a'.repeat(64)}`, `artifact ${'a'.repeat(64)}`],
  ] as const) {
    expect(redact(text)).toBe(clean)
  }
})

it('goes on where the log cannot be written', async () => {
  const blocked = join(folder, 'file')
  await writeFile(blocked, '')
  configureLogging({ stderr: 'warn', file: 'info', path: join(blocked, 'convscope.log') })
  createLogger('part').warn('still told')
  expect(stderr.join('')).toContain('still told')
  expect(stderr.join('')).toContain('the log file is given up')
})
