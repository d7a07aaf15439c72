/** Numbers of a running job over its steps, thinned so that a long one stays light. */
export interface Curve {
  readonly x: readonly number[]
  readonly values: readonly number[]
}

const MOST_POINTS = 1000

/** The curve with one more point; beyond 1000 points every second one is left out. */
export function extend({ x, values }: Curve, at: number, value: number): Curve {
  const grown = { x: [...x, at], values: [...values, value] }
  if (grown.x.length <= MOST_POINTS) return grown
  const thin = (list: readonly number[]): number[] => list.filter((_, i) => i % 2 === 0 || i === list.length - 1)
  return { x: thin(grown.x), values: thin(grown.values) }
}
