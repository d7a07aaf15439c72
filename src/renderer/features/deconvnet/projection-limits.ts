import type { DeconvnetResult } from '../../../shared/experiments/deconvnet.ts'
import type { Limits } from '../../lib/colour-maps.ts'

/** Grey levels around zero: up to the projection's own largest magnitude, or to the largest of all in the look. */
export function projectionLimits(
  result: Pick<DeconvnetResult, 'units'>,
  index: number,
  scale: 'per-picture' | 'shared',
): Limits {
  const own = result.units[index]?.magnitude ?? 0
  const magnitude = scale === 'shared' ? Math.max(0, ...result.units.map((unit) => unit.magnitude)) : own
  return magnitude > 0 ? { low: -magnitude, high: magnitude } : { low: -1, high: 1 }
}
