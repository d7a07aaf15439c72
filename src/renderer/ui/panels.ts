import { shallowRef, type ShallowRef } from 'vue'
import { clampPanel, readPanels, writePanels, type PanelSizes } from '../lib/panel-sizes.ts'

export type Side = 'left' | 'right'

/** The side panels of every tab. */
export const panels = shallowRef<PanelSizes>(readPanels(localStorage))

/** Where there is little width, a panel is a drawer that lies over the middle and is closed at first. */
export const asDrawer: Readonly<Record<Side, Readonly<ShallowRef<boolean>>>> = {
  left: matches('(max-width: 859px)'),
  right: matches('(max-width: 1199px)'),
}
const drawers = shallowRef({ left: false, right: false })

export function changePanels(change: Partial<PanelSizes>): void {
  const next = { ...panels.value, ...change }
  panels.value = { ...next, left: clampPanel('left', next.left), right: clampPanel('right', next.right) }
  writePanels(localStorage, panels.value)
}

export function isShown(side: Side): boolean {
  if (asDrawer[side].value) return drawers.value[side]
  return side === 'left' ? panels.value.leftOpen : panels.value.rightOpen
}

export function togglePanel(side: Side): void {
  if (asDrawer[side].value) drawers.value = { ...drawers.value, [side]: !drawers.value[side] }
  else changePanels(side === 'left' ? { leftOpen: !isShown(side) } : { rightOpen: !isShown(side) })
}

export function closeDrawers(): void {
  drawers.value = { left: false, right: false }
}

function matches(query: string): Readonly<ShallowRef<boolean>> {
  const media = window.matchMedia(query)
  const state = shallowRef(media.matches)
  media.addEventListener('change', () => (state.value = media.matches))
  return state
}
