import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommandLine } from './program.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-usage-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function convscope(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const written = { out: '', err: '' }
  const code = await runCommandLine(args, {
    streams: {
      out: { write: (text) => (written.out += text) },
      err: { write: (text) => (written.err += text) },
    },
    workerPath: join(folder, 'no-worker.js'),
    shareProject: () =>
      Promise.resolve({ isUsed: false, unused: () => Promise.resolve(), close: () => Promise.resolve() }),
    interruption: new AbortController().signal,
  })
  return { code, ...written }
}

const example = join(import.meta.dirname, '../../../examples/deconvnet-mnist.json')

describe('the command line', () => {
  it.each([
    [[]],
    [['open']],
    [['serve']],
    [['doctor']],
    [['run']],
    [['runs']],
    [['runs', 'list']],
    [['runs', 'show']],
    [['runs', 'export']],
    [['runs', 'remove']],
    [['runs', 'restore']],
    [['engine']],
    [['engine', 'list']],
    [['engine', 'install']],
    [['engine', 'remove']],
    [['train']],
    [['model']],
    [['model', 'list']],
    [['model', 'show']],
    [['model', 'import']],
    [['model', 'classify']],
    [['model', 'accuracy']],
    [['model', 'doctor']],
    [['model', 'change']],
    [['model', 'export']],
    [['model', 'architectures']],
    [['model', 'rename']],
    [['model', 'remove']],
    [['data']],
    [['data', 'list']],
    [['data', 'show']],
    [['data', 'import']],
    [['data', 'split']],
    [['data', 'remove']],
    [['worker']],
  ])('has help for %j', async (args) => {
    const { code, out } = await convscope(...args, '--help')
    expect(code).toBe(0)
    expect(out).toMatch(/^Usage: convscope/)
    const isGroup = out.includes('Commands:')
    if (!isGroup) expect(out).toMatch(/--project <folder>[^]*--json/)
  })

  it.each([[[]], [['runs']], [['engine']], [['model']], [['data']]])(
    'lists commands in one style in %j',
    async (args) => {
      const { out } = await convscope(...args, '--help')
      const commands = out.slice(out.indexOf('Commands:')).split('\n').slice(1, -1)
      const summaries = commands.map((line) => /^ {2}\S.*? {2,}(\S.*)$/.exec(line)?.[1] ?? '').filter(Boolean)
      expect(summaries.length).toBeGreaterThan(2)
      for (const summary of summaries) expect(summary).toMatch(/^[a-z].*[^.]$/)
    },
  )

  it.each([
    [['--nonsense'], /unknown option/],
    [['nonsense'], /unknown command 'nonsense'/],
    [['run', 'one', 'two'], /too many arguments/],
    [['run'], /missing required argument 'file'/],
    [['run', 'missing.json'], /There is no file "missing.json"/],
    [['run', join(import.meta.dirname, 'program.ts')], /is not JSON/],
    [['run', join(import.meta.dirname, '../../../package.json')], /not an experiment document/],
    [['run', example, '--set', 'layer'], /not of the form path=value/],
    [['run', example, '--set', 'units={"kind":"none"}'], /params\.units/],
    [['train', 'mnist-convnet', '--epochs', 'many'], /must be a whole number/],
    [['train', 'mnist-convnet', '--epochs', '0'], /params\.epochs/],
    [['runs', 'list', '--limit', '-1'], /must be a whole number/],
    [['data', 'split', 'mnist', '--halves', 'P1,P2', '--seed', 'x'], /must be a whole number/],
    [['model', 'accuracy', 'mnist-convnet', '--data', 'mnist', '--count', '0'], /must be 1 or more/],
    [['model', 'change', 'mnist-convnet'], /Nothing of mnist-convnet is to be changed/],
    [['doctor', '--engine', 'abacus'], /Allowed choices are/],
    [['serve', 'one', '--project', 'two'], /Two projects are named/],
    [['serve', '--port', '70000'], /no port 70000/],
  ])('ends with 2 for %j and says why', async (args, reason) => {
    const { code, out, err } = await convscope(...args)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toMatch(reason)
  })

  it('ends with 1 where something is not there', async () => {
    const project = join(folder, 'project')
    const { code, out, err } = await convscope('runs', 'show', 'nothing', '--project', project, '--json')
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(/There is no run nothing/)
    expect((await convscope('data', 'show', 'nothing', '--project', project)).code).toBe(1)
  })

  it('prints one JSON value', async () => {
    const { code, out } = await convscope('data', 'list', '--project', join(folder, 'project'), '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject([
      { name: 'cifar-10-sample', splits: [{ name: 'test', count: 2000 }] },
      { name: 'mnist', splits: [{ count: 60_000 }, { count: 10_000 }] },
    ])
  })
})
