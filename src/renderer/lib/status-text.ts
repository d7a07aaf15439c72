import { spoken } from '../../shared/actions.ts'
import { ENGINE_NAMES, type EngineName } from '../../shared/engines.ts'
import type { SystemStatus } from '../../shared/contract/system.ts'
import type { SessionState } from '../../shared/session.ts'

export const ENGINE_TITLES: Record<EngineName, string> = {
  'tensorflow-cuda': 'TensorFlow CUDA',
  webgpu: 'WebGPU',
  tensorflow: 'TensorFlow CPU',
  wasm: 'WebAssembly',
  cpu: 'JavaScript',
}

/** A reason of the engines with the names and the words of the page: `slower than TensorFlow CPU here`. */
export function engineReason(reason: string): string {
  const named = spoken(reason, 'window').replace(
    /(?<=slower than )\S+/,
    (name) => ENGINE_TITLES[name as EngineName] ?? name,
  )
  return named.charAt(0).toUpperCase() + named.slice(1)
}

export type Tone = 'good' | 'busy' | 'warning' | 'bad' | 'quiet'

const TONES: Record<SessionState, Tone> = {
  stopped: 'quiet',
  starting: 'busy',
  ready: 'good',
  computing: 'good',
  crashed: 'bad',
  failed: 'bad',
}

const STATES: Record<SessionState, string> = {
  stopped: 'No engine is running',
  starting: 'Engine starting …',
  ready: '',
  computing: '',
  crashed: 'The engine crashed',
  failed: 'The engine did not start',
}

/** The engine in the status bar: a tone for the dot and a few words. */
export function engineText({ session }: Pick<SystemStatus, 'session'>): { tone: Tone; text: string } {
  const tone = session.message && TONES[session.state] === 'good' ? 'warning' : TONES[session.state]
  const state = STATES[session.state]
  if (state || !session.engine) return { tone, text: state || 'Engine starting …' }
  const { name, version } = session.engine
  // The versions of TensorFlow say what it is.
  return { tone, text: version.startsWith('TensorFlow') ? version : `${ENGINE_TITLES[name]} (${version})` }
}

/** Why a slower engine computes, or what is being done about it; undefined when all is well. */
export function engineNotice({
  session,
  nativeEngine,
}: Pick<SystemStatus, 'session' | 'nativeEngine'>): string | undefined {
  if (session.message) return session.message
  if (session.error) return session.error.message
  const name = session.engine?.name
  const slower = name !== undefined && ENGINE_NAMES.indexOf(name) > ENGINE_NAMES.indexOf('tensorflow')
  if (slower && nativeEngine.state === 'missing') return `The native engine is missing: ${nativeEngine.reason}`
  if (slower && nativeEngine.state === 'failed') return nativeEngine.error.message
  return undefined
}
