import { shallowRef } from 'vue'
import type { ColourMapName } from '../../lib/colour-maps.ts'
import { MIDDLE, type Centre } from '../../lib/magnify.ts'

/** How pictures are shown; not part of what is computed, and remembered on this computer. */
export interface Display {
  readonly map: Extract<ColourMapName, 'grey' | 'diverging'>
  /** Screen pixels a picture pixel; 0: as large as fits. */
  readonly magnification: number
}

const KEY = 'convscope.deconvnet.display'
export const DEFAULT_DISPLAY: Display = { map: 'grey', magnification: 0 }

export function readDisplay(storage: Pick<Storage, 'getItem'>): Display {
  try {
    const stored: unknown = JSON.parse(storage.getItem(KEY) ?? '{}')
    const value = typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {}
    const { map, magnification } = value
    return {
      map: map === 'diverging' ? map : 'grey',
      magnification:
        typeof magnification === 'number' &&
        Number.isInteger(magnification) &&
        magnification >= 0 &&
        magnification <= 64
          ? magnification
          : 0,
    }
  } catch {
    return DEFAULT_DISPLAY
  }
}

export const display = shallowRef<Display>(readDisplay(localStorage))

/** The part of the picture that is in sight where it is larger than its pane: the same in all panes. */
export const centre = shallowRef<Centre>(MIDDLE)

export function changeDisplay(change: Partial<Display>): void {
  display.value = { ...display.value, ...change }
  localStorage.setItem(KEY, JSON.stringify(display.value))
}
