/** Width and presence of the side panels, remembered on this computer. */
export interface PanelSizes {
  readonly left: number
  readonly right: number
  readonly leftOpen: boolean
  readonly rightOpen: boolean
}

export const PANEL_LIMITS = { left: [240, 480], right: [256, 560] } as const
export const DEFAULT_PANELS: PanelSizes = { left: 300, right: 320, leftOpen: true, rightOpen: true }

const KEY = 'convscope.panels'

export function clampPanel(side: 'left' | 'right', width: number): number {
  const [least, most] = PANEL_LIMITS[side]
  return Math.round(Math.min(most, Math.max(least, width)))
}

/** What was remembered, with defaults for what is missing or damaged. */
export function readPanels(storage: Pick<Storage, 'getItem'>): PanelSizes {
  try {
    const stored: unknown = JSON.parse(storage.getItem(KEY) ?? '{}')
    const value = typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {}
    const width = (side: 'left' | 'right'): number => {
      const given = value[side]
      return typeof given === 'number' && Number.isFinite(given) ? clampPanel(side, given) : DEFAULT_PANELS[side]
    }
    return {
      left: width('left'),
      right: width('right'),
      leftOpen: value.leftOpen !== false,
      rightOpen: value.rightOpen !== false,
    }
  } catch {
    return DEFAULT_PANELS
  }
}

export function writePanels(storage: Pick<Storage, 'setItem'>, sizes: PanelSizes): void {
  storage.setItem(KEY, JSON.stringify(sizes))
}
