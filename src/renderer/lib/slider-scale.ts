/** Between the places of a slider, 0 … 1000, and its values. */
export interface SliderRange {
  readonly low: number
  readonly high: number
  /** Places are even in the logarithm; `low` must be above 0. */
  readonly logarithmic?: boolean
  /** The left end is 0: off. */
  readonly zero?: boolean
}

export const SLIDER_STEPS = 1000

/** The nearest place; values beyond the range lie at its ends. */
export function sliderPlace(value: number, { low, high, logarithmic = false, zero = false }: SliderRange): number {
  if (zero && value < low) return 0
  const inside = Math.min(high, Math.max(low, value))
  const fraction = logarithmic ? Math.log(inside / low) / Math.log(high / low) : (inside - low) / (high - low)
  const first = zero && low > 0 ? 1 : 0
  return Math.round(first + fraction * (SLIDER_STEPS - first))
}

/** The value of a place with three significant digits. */
export function sliderValue(place: number, { low, high, logarithmic = false, zero = false }: SliderRange): number {
  if (zero && place <= 0) return 0
  const first = zero && low > 0 ? 1 : 0
  const fraction = (place - first) / (SLIDER_STEPS - first)
  const value = logarithmic ? low * (high / low) ** fraction : low + fraction * (high - low)
  return Math.min(high, Math.max(low, Number(value.toPrecision(3))))
}
