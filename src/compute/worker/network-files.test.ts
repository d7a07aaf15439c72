/** Networks into the program and out of it, on real files. */
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ConvScopeError } from '../../shared/errors.ts'
import type { ExportFormat, NetworkRecord } from '../../shared/network/page.ts'
import { exportNetworkFile } from './export-network.ts'
import { importNetworkFiles } from './import-network.ts'
import type { OutputDescription, WriteFile } from './output-writer.ts'

const source = join(import.meta.dirname, '../../../tests/conformance/files/ta.onnx')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'convscope-network-files-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** What the engine thread gives to methods, with outputs under their names. */
function contextFor(abort = new AbortController()) {
  const steps: number[] = []
  return {
    steps,
    signal: abort.signal,
    progress: (done: number): void => {
      abort.signal.throwIfAborted()
      steps.push(done)
    },
    outputFile: async ({ name }: OutputDescription, write: WriteFile): Promise<void> => {
      const path = join(folder, name)
      const { sha256, bytes } = await write(path)
      const contents = await readFile(path)
      expect([contents.length, createHash('sha256').update(contents).digest('hex')]).toEqual([bytes, sha256])
    },
  }
}

it('reads a network, tells where it came from, and writes it again', async () => {
  const context = contextFor()
  const { spec, origin, findings } = await importNetworkFiles(
    { files: [{ name: 'ta.onnx', path: source }], name: 'mine' },
    context,
  )
  expect(spec.name).toBe('mine')
  // What the model doctor sees without an engine is among the findings.
  expect(findings.map(({ code }) => code)).toContain('no-class-names')
  const bytes = await readFile(source)
  expect(origin).toEqual({
    format: 'ONNX',
    files: [{ name: 'ta.onnx', bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }],
  })
  expect(context.steps).toEqual(context.steps.toSorted((a, b) => a - b))
  expect(context.steps.at(-1)).toBe(100)

  const write = async (format: ExportFormat): Promise<Buffer> => {
    const record = () => ({ spec, weights: 'w' }) as NetworkRecord
    const findArtifact = () => Promise.resolve(join(folder, 'weights'))
    await exportNetworkFile({ network: 'mine', format }, { ...contextFor(), record, findArtifact })
    return readFile(join(folder, 'network'))
  }
  expect((await write('convscope')).toString('latin1', 0, 2)).toBe('PK')
  await rm(join(folder, 'network'))
  expect((await write('onnx')).includes('mine')).toBe(true)
  expect((await readdir(folder)).sort()).toEqual(['network', 'weights'])
})

it('takes the layers of an architecture that is named, and says which there are', async () => {
  const files = [{ name: 'ta.onnx', path: source }]
  await expect(
    importNetworkFiles({ files, name: 'mine', architecture: 'no-such-net' }, contextFor()),
  ).rejects.toMatchObject({ code: 'not-found', remedy: expect.stringContaining('resnet-18') })
})

it('stops where it is cancelled', async () => {
  const abort = new AbortController()
  const context = contextFor(abort)
  const progress = (done: number): void => {
    if (done > 20) abort.abort(new ConvScopeError('cancelled', 'The run was cancelled'))
    context.progress(done)
  }
  const files = [{ name: 'ta.onnx', path: source }]
  await expect(importNetworkFiles({ files, name: 'mine' }, { ...context, progress })).rejects.toMatchObject({
    code: 'cancelled',
  })
  expect(await readdir(folder)).toEqual([])
})
