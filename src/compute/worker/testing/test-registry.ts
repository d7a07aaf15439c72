/** A registry without engine: small experiments that count, print, crash, hang and allocate. */
import * as z from 'zod'
import { ConvScopeError } from '../../../shared/errors.ts'
import { testExperiments, TestDocument } from './test-experiments.ts'
import { EngineStartError, type WorkerRegistry } from '../worker-registry.ts'

const unavailable = (): never => {
  throw new ConvScopeError('unsupported', 'The test worker has no such thing')
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
    'dataset-page': async ({ offset, count, classIndex }, context) => {
      const indices = Array.from({ length: count }, (_, index) => offset + index)
      await context.outputArray('images', [count, 2], new Uint8Array(2 * count).fill(classIndex ?? 0))
      return { total: 100, indices, labels: indices.map((index) => index % 10) }
    },
    'dataset-counts': async () => [1, 2, 3],
    measure: unavailable,
    engines: async () => [],
  },
}
