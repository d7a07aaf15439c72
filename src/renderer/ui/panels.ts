import { shallowRef } from 'vue'
import { clampPanel, readPanels, writePanels, type PanelSizes } from '../lib/panel-sizes.ts'

/** The side panels of every tab. */
export const panels = shallowRef<PanelSizes>(readPanels(localStorage))

export function changePanels(change: Partial<PanelSizes>): void {
  const next = { ...panels.value, ...change }
  panels.value = { ...next, left: clampPanel('left', next.left), right: clampPanel('right', next.right) }
  writePanels(localStorage, panels.value)
}
