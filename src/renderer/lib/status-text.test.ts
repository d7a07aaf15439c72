import { expect, it } from 'vitest'
import type { SystemStatus } from '../../shared/contract/system.ts'
import { action } from '../../shared/actions.ts'
import { engineNotice, engineReason, engineText } from './status-text.ts'

const engine = {
  name: 'wasm',
  version: 'tfjs 4.22 wasm',
  device: 'CPU',
  threads: 2,
  kernels: 'stock',
  deterministic: true,
} as const

const status = (
  session: Partial<SystemStatus['session']>,
  nativeEngine: SystemStatus['nativeEngine'],
): SystemStatus => ({
  session: { state: 'ready', engine, engines: [], residentBytes: 0, tensors: 0, ...session },
  nativeEngine,
  mainResidentBytes: 0,
})

it('names the engine that is ready and the state of one that is not', () => {
  expect(engineText(status({}, { state: 'installed' }))).toEqual({ tone: 'good', text: 'WebAssembly (tfjs 4.22 wasm)' })
  expect(engineText(status({ state: 'starting' }, { state: 'installed' }))).toEqual({
    tone: 'busy',
    text: 'Engine starting …',
  })
  expect(engineText(status({ state: 'crashed' }, { state: 'installed' })).tone).toBe('bad')
  expect(engineText(status({ message: 'slower' }, { state: 'installed' })).tone).toBe('warning')
})

it('says why a slower engine computes', () => {
  expect(engineNotice(status({}, { state: 'missing', reason: 'no network' }))).toContain('no network')
  expect(engineNotice(status({ message: 'WebGPU failed' }, { state: 'installed' }))).toBe('WebGPU failed')
  expect(engineNotice(status({}, { state: 'installed' }))).toBeUndefined()
  const native = { ...engine, name: 'tensorflow' } as const
  expect(engineNotice(status({ engine: native }, { state: 'missing', reason: 'x' }))).toBeUndefined()
})

it('calls engines in reasons as the page does', () => {
  expect(engineReason('slower than tensorflow here')).toBe('Slower than TensorFlow CPU here')
  expect(engineReason('slower than something here')).toBe('Slower than something here')
  expect(engineReason('no GPU was found')).toBe('No GPU was found')
  expect(engineReason(`it is missing. ${action('install-engine')}`)).toBe(
    'It is missing. Install the native engine in the settings.',
  )
})
