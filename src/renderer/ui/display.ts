import { shallowRef } from 'vue'
import { MIDDLE, type Centre } from '../lib/magnify.ts'
import { readProjectionDisplay, type ProjectionDisplay } from '../lib/projection-display.ts'

/** How pictures are shown; not part of what is computed, and remembered on this computer. */
export interface Display extends ProjectionDisplay {
  /** Screen pixels a picture pixel; 0: as large as fits. */
  readonly magnification: number
}

const KEY = 'convscope.deconvnet.display'
const LARGEST_MAGNIFICATION = 64

/** What was remembered, with defaults for what is missing or damaged. */
export function readDisplay(storage: Pick<Storage, 'getItem'>): Display {
  let stored: unknown
  try {
    stored = JSON.parse(storage.getItem(KEY) ?? '{}')
  } catch {
    stored = {}
  }
  const value = typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {}
  const { magnification } = value
  const isMagnification =
    typeof magnification === 'number' &&
    Number.isInteger(magnification) &&
    magnification >= 0 &&
    magnification <= LARGEST_MAGNIFICATION
  return { ...readProjectionDisplay(value), magnification: isMagnification ? magnification : 0 }
}

export const display = shallowRef<Display>(readDisplay(localStorage))

/** The part of the picture that is in sight where it is larger than its pane: the same in all panes. */
export const centre = shallowRef<Centre>(MIDDLE)

export function changeDisplay(change: Partial<Display>): void {
  display.value = { ...display.value, ...change }
  localStorage.setItem(KEY, JSON.stringify(display.value))
}
