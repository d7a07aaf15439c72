/** The contact sheet of a search as it fills: draws that are done, those that climb, and empty places for the others. */
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { ExperimentEvent } from '../experiments/experiment.ts'
import { contactSheet, type Picture } from '../experiments/pictures.ts'
import type { GreyLevels } from './grey-levels.ts'
import { greyPicture } from './sheets.ts'
import { sizeOf } from '../../shared/size-of.ts'

/** Shown at most so often; sheets of large pictures less often, because every one travels to the window. */
const INTERVAL_MS = 1000
const BYTES_PER_MS = 4000
const EMPTY_GREY = 128

export class FillingSheet {
  readonly #total: number
  readonly #grey: GreyLevels
  readonly #spec: NetworkSpec
  readonly #done: Picture[] = []
  readonly #empty: Picture
  #shownAt = -Infinity

  /** @param total how many draws there will be */
  constructor(total: number, grey: GreyLevels, spec: NetworkSpec) {
    this.#total = total
    this.#grey = grey
    this.#spec = spec
    const [height, width, channels] = grey.shape
    const shown = channels === 3 ? 3 : 1
    this.#empty = { width, height, channels: shown, pixels: new Uint8Array(height * width * shown).fill(EMPTY_GREY) }
  }

  /** Draws that are done, in grey levels minus the mean, `[draws, height, width, channels]`. */
  add(pictures: Float32Array): void {
    this.#done.push(...this.#picturesOf(pictures))
  }

  /** The sheet with draws that still climb, where it is time for one. */
  climbing(pictures: Float32Array, now = performance.now()): ExperimentEvent[] {
    const bytes = this.#total * this.#empty.pixels.length
    if (now - this.#shownAt < Math.max(INTERVAL_MS, bytes / BYTES_PER_MS)) return []
    this.#shownAt = now
    return [this.#event(this.#picturesOf(pictures))]
  }

  /** The sheet as it is. */
  event(): ExperimentEvent {
    return this.#event([])
  }

  #event(climbing: readonly Picture[]): ExperimentEvent {
    const shown = [...this.#done, ...climbing]
    const left = Array.from({ length: Math.max(0, this.#total - shown.length) }, () => this.#empty)
    const { width, height, channels, pixels } = contactSheet([...shown, ...left])
    return { type: 'preview', name: 'sheet', width, height, channels, pixels }
  }

  #picturesOf(values: Float32Array): Picture[] {
    const size = sizeOf(this.#grey.shape)
    return Array.from({ length: values.length / size }, (_, index) =>
      greyPicture(values.subarray(index * size, (index + 1) * size), this.#grey, this.#spec),
    )
  }
}
