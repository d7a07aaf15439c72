/** 256 colours as `[r, g, b, r, g, b, …]`, 0…255. */
export type ColourMap = Uint8Array

export const COLOUR_MAP_NAMES = ['grey', 'diverging', 'viridis'] as const
export type ColourMapName = (typeof COLOUR_MAP_NAMES)[number]

type Colour = readonly [red: number, green: number, blue: number]

/** Zero of signed data, and the canvas behind pictures: it disappears into it. */
export const MID_GREY: Colour = [128, 128, 128]

const STOPS: Record<ColourMapName, readonly Colour[]> = {
  grey: [
    [0, 0, 0],
    [128, 128, 128],
    [255, 255, 255],
  ],
  // Blue below zero, orange above: told apart with every common colour blindness; lightness rises throughout.
  diverging: [[12, 36, 120], [36, 84, 164], [82, 112, 152], MID_GREY, [196, 140, 92], [245, 170, 66], [255, 224, 138]],
  // Nine equidistant colours of matplotlib's viridis.
  viridis: [
    [68, 1, 84],
    [72, 40, 120],
    [62, 73, 137],
    [49, 104, 142],
    [38, 130, 142],
    [31, 158, 137],
    [53, 183, 121],
    [110, 206, 88],
    [253, 231, 37],
  ],
}

const built = new Map<ColourMapName, ColourMap>()

/** The map as a table of 256 colours; signed ones have zero at entry 128. */
export function colourMap(name: ColourMapName): ColourMap {
  const known = built.get(name)
  if (known) return known
  const stops = STOPS[name]
  const table = new Uint8Array(256 * 3)
  for (let entry = 0; entry < 256; entry++) {
    const colour = interpolate(stops, name === 'viridis' ? entry / 255 : signedFraction(entry))
    table.set(colour, entry * 3)
  }
  built.set(name, table)
  return table
}

/** Entry 0…255 as 0…1 with entry 128 exactly in the middle. */
const signedFraction = (entry: number): number => (entry <= 128 ? entry / 256 : 0.5 + (entry - 128) / 254)

function interpolate(stops: readonly Colour[], fraction: number): Colour {
  const at = fraction * (stops.length - 1)
  const index = Math.min(Math.floor(at), stops.length - 2)
  const [low, high] = [stops[index], stops[index + 1]]
  if (!low || !high) return MID_GREY
  const part = at - index
  const mix = (channel: 0 | 1 | 2): number => Math.round(low[channel] + (high[channel] - low[channel]) * part)
  return [mix(0), mix(1), mix(2)]
}

/** Values between `low` and `high` are spread over the colour map. */
export interface Limits {
  readonly low: number
  readonly high: number
  /** Shares of the limits are shown to this power; 1 when left out. */
  readonly gamma?: number
}

/** Limits around zero for signed data, from zero on for data without negative values; never empty. */
export function limitsOf(low: number, high: number): Limits {
  if (!(low < 0)) return { low: 0, high: high > 0 ? high : 1 }
  const magnitude = Math.max(-low, high)
  return { low: -magnitude, high: magnitude }
}

/** Entry 0…255 of a colour map for a value. Zero between symmetric limits is entry 128. NaN is the middle. */
export function mapEntry(value: number, { low, high, gamma = 1 }: Limits): number {
  if (Number.isNaN(value)) return 128
  if (low < 0 && low === -high) {
    const share = raised(Math.min(1, Math.abs(value) / high), gamma)
    return Math.round(value >= 0 ? 128 + share * 127 : 128 - share * 128)
  }
  return Math.round(raised(Math.min(1, Math.max(0, (value - low) / (high - low))), gamma) * 255)
}

const raised = (share: number, gamma: number): number => (gamma === 1 ? share : share ** gamma)
