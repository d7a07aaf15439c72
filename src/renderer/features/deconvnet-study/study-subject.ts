import type { LayerPage } from '../../../shared/network/page.ts'

/** What a form of the study is about: chosen above it, once for all of them. */
export interface StudySubject {
  readonly network: string
  readonly dataset: string
  readonly split: string
  /** The picture's number in its split. */
  readonly index: number
  readonly layer: string
  /** All layers of the network, the input first. */
  readonly layers: readonly LayerPage[]
}

/** `[height, width]` of the network's input. */
export function inputSize({ layers }: StudySubject): readonly [number, number] {
  const [height = 1, width = 1] = layers[0]?.shape ?? []
  return [height, width]
}

/** About `share` of the input's shorter side, at least 1. */
export function partOfInput(subject: StudySubject, share: number): number {
  return Math.max(1, Math.round(Math.min(...inputSize(subject)) * share))
}

/** The part of a document that a form decides. */
export type StudyParams = Record<string, unknown>
