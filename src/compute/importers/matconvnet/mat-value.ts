/** Values of MATLAB, whichever form of file they come from. */
import type { StoredValues } from '../assembly/stored-values.ts'

export interface MatNumbers {
  readonly kind: 'numbers'
  /** MATLAB's sizes: the first axis is the one that varies fastest. */
  readonly dims: readonly number[]
  /** Column-major. */
  readonly values: StoredValues
}
export type MatFields = ReadonlyMap<string, MatValue>
export type MatValue =
  | MatNumbers
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'cell'; readonly items: readonly MatValue[] }
  | { readonly kind: 'struct'; readonly items: readonly MatFields[] }
  /** Objects, function handles, sparse matrices. */
  | { readonly kind: 'other'; readonly title: string }

/** Longer lists are weights, not settings. */
const MAX_SETTINGS = 64

export function isNumbers(value: MatValue | undefined): value is MatNumbers {
  return value?.kind === 'numbers' && value.values.count > 0
}

/** The fields of the only struct. */
export function fieldsOf(value: MatValue | undefined): MatFields | undefined {
  return value?.kind === 'struct' ? value.items[0] : undefined
}

export function textOf(value: MatValue | undefined): string | undefined {
  return value?.kind === 'text' ? value.text : undefined
}

/** A short list of numbers; empty where there is none. */
export function settingsOf(value: MatValue | undefined): number[] {
  return isNumbers(value) && value.values.count <= MAX_SETTINGS
    ? Array.from(value.values.read(0, value.values.count))
    : []
}

/** The texts of a cell; those that are no text are left out. */
export function textsOf(value: MatValue | undefined): string[] {
  if (value?.kind !== 'cell') return []
  return value.items.map(textOf).filter((text) => text !== undefined)
}
