/** A registry without engine: small experiments that count, print, crash, hang and allocate. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import * as z from 'zod'
import { ConvScopeError } from '../../../shared/errors.ts'
import { NetworkSpec } from '../../../shared/network/spec.ts'
import { testExperiments, TestDocument } from './test-experiments.ts'
import { EngineStartError, type WorkerRegistry } from '../worker-registry.ts'

const unavailable = (): never => {
  throw new ConvScopeError('unsupported', 'The test worker has no such thing')
}

/** Counts to the number that its name ends with, 5 ms each, and writes a file; `stuck…` does not look at messages. */
const testImport: WorkerRegistry['methods']['network-import'] = async ({ name }, context) => {
  const steps = Number(name.split('-').at(-1))
  const wait = (): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  for (let step = 1; step <= steps; step++) {
    wait()
    if (name.startsWith('kill')) process.kill(process.pid, 'SIGKILL')
    if (!name.startsWith('stuck') || step === 1) context.progress(step, steps, 'steps')
  }
  await context.outputFile({ name: 'weights', kind: 'weights' }, async (path) => {
    const bytes = new TextEncoder().encode(name)
    await writeFile(path, bytes)
    return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength }
  })
  const spec = NetworkSpec.parse({
    format: 'convscope-network',
    version: 1,
    name,
    title: 'A test',
    preprocessing: { channelOrder: 'grey' },
    layers: [
      { name: 'input', type: 'input', shape: [2, 2, 1] },
      { name: 'flat', type: 'flatten' },
    ],
  })
  return { spec, origin: { format: 'test', files: [] }, findings: [] }
}

export const testRegistry: WorkerRegistry = {
  startEngine: async ({ engine }) => {
    const reports = [{ name: 'webgpu', state: 'unavailable', reason: 'no adapter' } as const]
    if (engine === 'webgpu')
      throw new EngineStartError(new ConvScopeError('unsupported', 'WebGPU has no adapter'), reports)
    return { engine: undefined, reports }
  },
  prepare: (document) => {
    const parsed = TestDocument.safeParse(document)
    if (!parsed.success)
      throw new ConvScopeError('invalid-input', 'Not a test document', { details: z.prettifyError(parsed.error) })
    const { kind, amount } = parsed.data
    return { seed: 1, run: (context) => testExperiments[kind](amount, context) }
  },
  loadNetwork: unavailable,
  loadDataset: unavailable,
  encode: {
    array: (_shape, values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    picture: async (_width, _height, _channels, pixels) => pixels,
  },
  methods: {
    'network-page': unavailable,
    'network-weights': unavailable,
    architectures: async () => [],
    'weight-histograms': unavailable,
    'network-import': testImport,
    'network-export': unavailable,
    'network-examine': unavailable,
    'network-classify': unavailable,
    'live-frame': unavailable,
    'network-accuracy': unavailable,
    'dataset-page': async ({ offset, count, classIndex }, context) => {
      const indices = Array.from({ length: count }, (_, index) => offset + index)
      await context.outputArray('images', [count, 2], new Uint8Array(2 * count).fill(classIndex ?? 0))
      return { total: 100, indices, labels: indices.map((index) => index % 10), shape: [2, 1, 1] }
    },
    'dataset-counts': async () => [1, 2, 3],
    'dataset-import': unavailable,
    'dataset-statistics': unavailable,
    measure: unavailable,
    engines: async () => [],
  },
}
