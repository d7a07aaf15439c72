/** The command line as a user starts it: real processes, a real project, the real network and data. */
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { readHolder } from '../src/main/project/lock.ts'
import { connectToHolder } from '../src/main/rpc/client.ts'
import { findNode } from '../src/main/sessions/launcher.ts'

const root = join(import.meta.dirname, '..')
const RunAnswer = z.object({ id: z.string(), state: z.string(), files: z.array(z.string()) })

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-command-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Watching {
  /** Called with everything written to stderr so far; may send a signal. */
  readonly onError?: (text: string, interrupt: () => void) => void
}

function convscope(args: readonly string[], { onError }: Watching = {}): Promise<Ended> {
  const environment = {
    ...process.env,
    NODE_OPTIONS: '',
    CONVSCOPE_CACHE: join(folder, 'cache'),
    CONVSCOPE_CONFIG: join(folder, 'config'),
    CONVSCOPE_DATA: join(folder, 'data'),
  }
  const child = spawn(findNode(), [join(root, 'src/main/cli.ts'), ...args], { cwd: folder, env: environment })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    onError?.(err, () => child.kill('SIGINT'))
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

const project = () => ['--project', join(folder, 'project'), '--engine', 'wasm', '--threads', '1']

/** Shape of an `.npy` file. */
async function shapeOf(file: string): Promise<string | undefined> {
  const bytes = await readFile(file)
  return /'shape': \(([^)]*)\)/.exec(bytes.toString('latin1', 0, 200))?.[1]
}

describe('convscope', () => {
  it('runs the example projection and writes a flat folder', async () => {
    const out = join(folder, 'out')
    const example = join(root, 'examples/deconvnet-mnist.json')
    const { code, out: text, err } = await convscope(['run', example, ...project(), '--out', out, '--json'])
    expect(err).not.toMatch(/error/i)
    expect(code).toBe(0)
    const run = RunAnswer.parse(JSON.parse(text))
    expect(run.state).toBe('done')

    expect(await shapeOf(join(out, 'projections.npy'))).toBe('64, 28, 28, 1')
    expect(await shapeOf(join(out, 'activations.npy'))).toBe('8, 8, 64')
    const names = await readdir(out)
    expect(names.sort()).toEqual(run.files)
    expect(names.filter((name) => /^projection-\d{3}-.*\.png$/.test(name))).toHaveLength(64)
    expect(names).toEqual(
      expect.arrayContaining([
        'document.json',
        'input.npy',
        'input.png',
        'projections.png',
        'provenance.json',
        'result.json',
      ]),
    )
    const result: unknown = JSON.parse(await readFile(join(out, 'result.json'), 'utf8'))
    // The first test digit of MNIST is a seven, and the shipped network knows it.
    expect(result).toMatchObject({
      label: { label: '7' },
      prediction: [{ label: '7' }, {}, {}, {}, {}, {}, {}, {}, {}, {}],
    })

    const listed = await convscope(['runs', 'list', '--project', join(folder, 'project'), '--json'])
    expect(JSON.parse(listed.out)).toMatchObject({ total: 1, runs: [{ id: run.id, state: 'done' }] })
    const zip = join(folder, 'run.zip')
    expect((await convscope(['runs', 'export', run.id, zip, '--project', join(folder, 'project')])).code).toBe(0)
    expect((await readFile(zip)).subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004')
    expect((await convscope(['runs', 'remove', run.id, '--project', join(folder, 'project')])).code).toBe(0)
    const after = await convscope(['runs', 'list', '--project', join(folder, 'project'), '--json'])
    expect(JSON.parse(after.out)).toMatchObject({ total: 0 })
  })

  it('classifies good pictures beside a bad one, which it names', async () => {
    const [digit, bad] = [join(folder, 'out', 'input.png'), join(folder, 'bad.png')]
    await writeFile(bad, 'this is no picture')
    const { code, out, err } = await convscope([
      'model',
      'classify',
      'mnist-convnet',
      bad,
      digit,
      ...project(),
      '--json',
    ])
    expect(code).toBe(1)
    expect(err).toContain('bad.png')
    expect(JSON.parse(out)).toMatchObject([
      { picture: bad, error: { code: 'damaged' } },
      { picture: digit, top: [{ label: '7' }, {}, {}, {}, {}] },
    ])
  })

  it('refuses to train what it does not know', async () => {
    const { code, out, err } = await convscope(['train', 'unknown', ...project()])
    expect(code).toBe(1)
    expect(out).toBe('')
    expect(err).toMatch(/no known architecture "unknown"\nThere are mnist-convnet/)
  })

  it('runs the example training, with fewer pictures', async () => {
    const example = join(root, 'examples/train-mnist-convnet.json')
    const smaller = [
      'epochs=1',
      'trainCount=256',
      'testCount=100',
      'batchSize=64',
      'name=small',
      'schedule={"kind":"constant"}',
    ]
    const sets = smaller.flatMap((change) => ['--set', change])
    const { code, out } = await convscope(['run', example, ...sets, ...project(), '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ state: 'done', result: { network: 'small', testCount: 100 } })
    const models = await convscope(['model', 'list', '--project', join(folder, 'project'), '--json'])
    expect(JSON.parse(models.out)).toMatchObject([
      { name: 'cifar-alexnet', source: 'built-in' },
      { name: 'mnist-convnet', source: 'built-in' },
      { name: 'small', source: 'trained' },
    ])
  })

  it('names the classes of a network', async () => {
    const names = Array.from({ length: 10 }, (_, digit) => `digit ${digit}`)
    const file = join(folder, 'classes.txt')
    await writeFile(file, `${names.join('\n')}\n`)
    const { code, out } = await convscope(['model', 'change', 'small', '--classes', file, ...project().slice(0, 2)])
    expect([code, out]).toEqual([0, expect.stringContaining('Classes: 10')])
  })

  it('cancels on Ctrl+C, keeps what was written, and ends with 130', async () => {
    const out = join(folder, 'cancelled')
    let interrupted = false
    const { code, out: text } = await convscope(
      [
        'train',
        'mnist-convnet',
        '--epochs',
        '500',
        '--train-count',
        '128',
        '--test-count',
        '10',
        '--out',
        out,
        ...project(),
        '--json',
      ],
      {
        onError: (written, interrupt) => {
          if (interrupted || !written.includes('Epoch 1 of 500')) return
          interrupted = true
          interrupt()
        },
      },
    )
    expect(code).toBe(130)
    expect(RunAnswer.parse(JSON.parse(text))).toMatchObject({ state: 'cancelled' })
    expect(await readdir(out)).toEqual(expect.arrayContaining(['document.json', 'weights.safetensors', 'spec.json']))
  })

  it('goes through the process that has the project open', async () => {
    const shared = join(folder, 'shared')
    const other: Promise<Ended>[] = []
    const holder = await convscope(
      [
        'train',
        'mnist-convnet',
        '--epochs',
        '500',
        '--train-count',
        '128',
        '--test-count',
        '10',
        '--project',
        shared,
        '--engine',
        'wasm',
      ],
      {
        onError: (written, interrupt) => {
          if (other.length > 0 || !written.includes('Epoch 1 of 500')) return
          const asking = convscope(['runs', 'list', '--project', shared, '--json'])
          other.push(asking)
          void asking.finally(interrupt)
        },
      },
    )
    expect(holder.code).toBe(130)
    const [listed] = await Promise.all(other)
    expect(listed?.code).toBe(0)
    expect(JSON.parse(listed?.out ?? '')).toMatchObject({
      total: 1,
      runs: [{ state: 'running', kind: 'train-classifier' }],
    })
  })

  it('stays until the commands that go through it have ended', async () => {
    const shared = join(folder, 'shared')
    const example = join(root, 'examples/deconvnet-mnist.json')
    const small = ['--train-count', '64', '--test-count', '10', '--batch-size', '16']
    /** A command, and a connection that holds the other process until this one has begun. */
    const runMeanwhile = async (): Promise<Ended> => {
      const address = await readHolder(shared)
      if (!address) throw new Error('nobody has the project open')
      const connection = await connectToHolder(address)
      try {
        return await convscope(['run', example, '--set', 'units={"kind":"all"}', '--project', shared])
      } finally {
        connection.close()
      }
    }
    const other: Promise<Ended>[] = []
    const holder = await convscope(
      ['train', 'mnist-convnet', '--epochs', '8', ...small, '--project', shared, '--engine', 'wasm'],
      {
        onError: (written) => {
          if (other.length === 0 && written.includes('Epoch 1 of 8')) other.push(runMeanwhile())
        },
      },
    )
    expect(holder.err).toMatch(/Another command still uses the project/)
    expect(holder.out).toMatch(/^Run .*: done/)
    expect(holder.err).toMatch(/The network mnist-convnet-\w+ is in the library: test error \d/)
    expect(holder.code).toBe(0)
    const [ended] = await Promise.all(other)
    expect(ended).toMatchObject({ code: 0, out: expect.stringMatching(/: done/) as string })
  })

  it('ends with 2 for wrong usage', async () => {
    const { code, out, err } = await convscope(['run', 'missing.json'])
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/missing\.json/)
  })

  it('names what a document names and is not there', async () => {
    const example = join(root, 'examples/deconvnet-mnist.json')
    const { code, out, err } = await convscope(['run', example, '--set', 'layer=conv9', ...project()])
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(/no layer "conv9"/)
    expect(err).toMatch(/conv1/)
  })

  it('ends with 1 and names the reason where a run fails', async () => {
    const example = join(root, 'examples/top-activations-cifar.json')
    const { code, err } = await convscope(['run', example, '--set', 'layers=["input"]', ...project()])
    expect(code).toBe(1)
    expect(err).toMatch(/input is the input/)
    // For people: the log is in its file.
    expect(err).not.toMatch(/[{}]/)
    expect(await readFile(join(folder, 'data/logs/command.log'), 'utf8')).toMatch(/warn jobs: a run failed/)
  })
})
