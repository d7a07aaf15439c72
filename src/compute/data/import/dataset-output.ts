/** Where an import puts what it makes. */
import type { DatasetFormat, RefusedFile } from '../../../shared/datasets.ts'
import { LISTED_REFUSALS } from '../../../shared/datasets.ts'
import type { RunContext } from '../../worker/run-context.ts'

export type ImportContext = Pick<RunContext, 'outputFile' | 'progress' | 'signal' | 'scratchFolder'>

/** A split with the names of outputs in the places of artifacts. */
export interface StoredSplit {
  readonly name: string
  readonly count: number
  readonly images: string
  readonly labels?: string
  readonly packed?: string
}

export interface StoredDataset {
  readonly format: DatasetFormat
  readonly shape: [number, number, number] | null
  readonly splits: StoredSplit[]
  /** The largest label, or -1. */
  readonly largestLabel: number
  readonly refused: Refusals
}

/** Files that were left out; all are counted, the first hundred are told. */
export class Refusals {
  readonly listed: RefusedFile[] = []
  count = 0

  add(file: RefusedFile): void {
    this.count++
    if (this.listed.length < LISTED_REFUSALS) this.listed.push(file)
  }
}

/** Names of outputs are lower case; those of splits need not be. */
export function outputNames(place: number): { images: string; labels: string; packed: string } {
  return { images: `images-${place}`, labels: `labels-${place}`, packed: `packed-${place}` }
}
