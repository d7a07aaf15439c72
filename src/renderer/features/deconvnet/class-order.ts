import type { DeconvnetResult } from '../../../shared/experiments/deconvnet.ts'
import { formatPercent } from '../../lib/format.ts'

type Prediction = DeconvnetResult['prediction']

/** The most probable class first; classes that show the same percentage in the order of their numbers. */
export function inReadingOrder(prediction: Prediction): Prediction {
  return [...prediction].sort((a, b) =>
    formatPercent(a.probability) === formatPercent(b.probability) ? a.index - b.index : b.probability - a.probability,
  )
}
