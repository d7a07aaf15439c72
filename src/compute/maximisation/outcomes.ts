/** What came of one picture, and what to do about it. */
import {
  TRACE_QUANTITIES,
  type ActivationMaximisationParams,
  type AscentItem,
  type AscentOutcome,
} from '../../shared/experiments/activation-maximisation.ts'
import { STATUS } from './ascent-step.ts'
import type { Gathered } from './gathered.ts'
import type { GreyLevels } from './grey-levels.ts'
import type { PlannedItem } from './plan.ts'

const WIDTH = TRACE_QUANTITIES.length

/** Of the toolbox's "majority success", "majority failure" and "grad 0 failure"; also removes what was recorded after an early end. */
export function itemOf(
  { layer, unit, setting, start }: PlannedItem,
  index: number,
  gathered: Gathered,
  params: Pick<ActivationMaximisationParams, 'settings'>,
  grey: GreyLevels,
): AscentItem {
  const { rows, traceEvery } = gathered
  const trace = gathered.traces.subarray(index * rows * WIDTH, (index + 1) * rows * WIDTH)
  const status = gathered.statuses[index] ?? STATUS.running
  const majorityStep = gathered.majoritySteps[index] ?? -1
  const end = endOf(trace, rows, status)
  trace.fill(NaN, (end + 1) * WIDTH)
  const objectives = Array.from({ length: end + 1 }, (_, row) => trace[row * WIDTH] ?? NaN).filter(Number.isFinite)
  const outcome = outcomeOf(status, majorityStep)
  const iterations = Math.min(end * traceEvery, params.settings[setting]?.iterations ?? 0)
  return {
    layer,
    channel: unit.channel,
    position: unit.position ? [...unit.position] : null,
    setting,
    start,
    outcome,
    advice: adviceOn(outcome, layer),
    objective: {
      first: objectives[0] ?? 0,
      best: objectives.reduce((most, value) => Math.max(most, value), -Infinity),
      last: objectives.at(-1) ?? 0,
    },
    majorityStep: majorityStep < 0 ? null : majorityStep,
    iterations,
    totalVariation: totalVariation(gathered.best.subarray(index * gathered.size, (index + 1) * gathered.size), grey),
  }
}

/** The last row that counts: of the last picture, or of the iteration that stopped it. */
function endOf(trace: Float32Array, rows: number, status: number): number {
  let last = 0
  for (let row = 0; row < rows; row++) {
    const objective = trace[row * WIDTH] ?? NaN
    if (Number.isNaN(objective) && status !== STATUS.diverged) break
    last = row
    const gradientNorm = trace[row * WIDTH + 1] ?? NaN
    const stopsHere =
      (status === STATUS.zeroGradient && gradientNorm === 0) ||
      (status === STATUS.diverged && !(Number.isFinite(objective) && Number.isFinite(gradientNorm)))
    if (stopsHere) break
  }
  return last
}

function outcomeOf(status: number, majorityStep: number): AscentOutcome {
  if (status === STATUS.diverged) return 'diverged'
  if (majorityStep >= 0) return 'majority-success'
  return status === STATUS.zeroGradient ? 'zero-gradient' : 'majority-failure'
}

function adviceOn(outcome: AscentOutcome, layer: string): string | null {
  if (outcome === 'majority-success') return null
  if (outcome === 'zero-gradient') {
    return `The gradient became exactly 0: nothing near this picture activates the unit. Where ${layer} is a ReLU, maximise the layer before it; or try other starts, or let rectifiers redirect the gradient in the first 16 iterations.`
  }
  if (outcome === 'diverged') {
    return 'The step was too large: the picture before it was kept. Lower the rate, or the desired progress.'
  }
  return `Another unit of ${layer} stayed larger: more iterations, a larger rate or weaker regularisers may help.`
}

/** Mean absolute difference of neighbouring pixels, to the right and below, in grey levels. @param picture `[height, width, channels]` */
export function totalVariation(picture: Float32Array, { shape: [height, width, channels] }: GreyLevels): number {
  let sum = 0
  let count = 0
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < channels; channel++) {
        const at = (row * width + column) * channels + channel
        if (column + 1 < width) sum += Math.abs((picture[at + channels] ?? 0) - (picture[at] ?? 0))
        if (row + 1 < height) sum += Math.abs((picture[at + width * channels] ?? 0) - (picture[at] ?? 0))
        count += (column + 1 < width ? 1 : 0) + (row + 1 < height ? 1 : 0)
      }
    }
  }
  return count > 0 ? sum / count : 0
}
