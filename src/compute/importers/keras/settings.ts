/** Settings of Keras layers, checked as they are read. */
import type { Padding } from '../../../shared/network/spec.ts'
import { UnsupportedOperator } from '../assembly/network-assembly.ts'
import { recordOf, textOf, type Json } from './topology.ts'

export type Pair = [number, number]

/** A number or a pair of them, such as `strides`. */
export function pairOf(config: Json, name: string, fallback?: Pair): Pair {
  const value = config[name]
  const list: unknown = typeof value === 'number' ? [value, value] : (value ?? fallback)
  const [first, second, ...rest] = Array.isArray(list) ? list : []
  if (isCount(first) && isCount(second) && rest.length === 0) return [first, second]
  throw new UnsupportedOperator(`its ${name} is ${JSON.stringify(value)}`)
}

export function countOf(config: Json, name: string, fallback?: number): number {
  const value = config[name] ?? fallback
  if (isCount(value)) return value
  throw new UnsupportedOperator(`its ${name} is ${JSON.stringify(value)}`)
}

export function numberOf(config: Json, name: string, fallback: number): number {
  const value = config[name] ?? fallback
  if (typeof value === 'number' && Number.isFinite(value)) return value
  // Keras 3 writes arrays of one number here.
  const inner = recordOf(recordOf(value)['config'])['value']
  if (typeof inner === 'number') return inner
  throw new UnsupportedOperator(`its ${name} is ${JSON.stringify(value)}`)
}

export function flagOf(config: Json, name: string, fallback: boolean): boolean {
  return typeof config[name] === 'boolean' ? config[name] : fallback
}

export function paddingOf(config: Json): Extract<Padding, string> {
  const value = textOf(config['padding']).toLowerCase() || 'valid'
  if (value === 'same' || value === 'valid') return value
  throw new UnsupportedOperator(`its padding is ${value}`)
}

/** @throws UnsupportedOperator for maps with channels first */
export function requireChannelsLast(config: Json): void {
  if (config['data_format'] === 'channels_first') throw new UnsupportedOperator('its channels come first')
}

/** The name of an activation, however it is written; `linear` for none. */
export function activationOf(config: Json): { readonly name: string; readonly config: Json } {
  const value = config['activation']
  if (value === undefined || value === null) return { name: 'linear', config: {} }
  if (typeof value === 'string') return { name: value, config: {} }
  const record = recordOf(value)
  // Keras 3 writes functions as { class_name: 'function', config: 'relu' }, layers as { class_name: 'ReLU', config: {…} }.
  const inner = record['config']
  if (typeof inner === 'string') return { name: inner, config: {} }
  return { name: textOf(record['class_name']), config: recordOf(inner) }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}
