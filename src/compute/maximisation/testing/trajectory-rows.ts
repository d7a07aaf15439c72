/** The stored trajectories of an independent implementation (`tests/conformance/yosinski-*`) against an engine. */
import * as z from 'zod'
import { AscentSettings, TRACE_QUANTITIES } from '../../../shared/experiments/activation-maximisation.ts'
import type { Engine } from '../../engines/engine.ts'
import { CaseFile } from '../../network/conformance/case-file.ts'
import { storedNetwork } from '../../network/conformance/deconvnet-cases.ts'
import { compare, type Row, type Tolerance } from '../../network/conformance/rows.ts'
import { RandomStream } from '../../random.ts'
import { Ascent } from '../ascent.ts'
import { AscentLayer } from '../ascent-layer.ts'
import type { GreyLevels } from '../grey-levels.ts'

const StoredSettings = z.object({
  layer: z.string(),
  unit: z.array(z.number()),
  policy: z.enum(['constant', 'progress', 'progress01']),
  lr: z.number().optional(),
  maxLr: z.number().optional(),
  desiredProgress: z.number().optional(),
  earlyProgress: z.number().optional(),
  lateProgressMultiplier: z.number().optional(),
  decay: z.number().default(0),
  blurSigma: z.number().default(0),
  blurEvery: z.number().default(0),
  smallNormPercentile: z.number().default(0),
  smallContributionPercentile: z.number().default(0),
})
type StoredSettings = z.infer<typeof StoredSettings>
const Parameters = z.object({ steps: z.array(z.number()), settings: z.record(z.string(), StoredSettings) })
/** The cases say: relative to the largest value, after 1 and 2 iterations 1e-4, after 10 1e-3, after 50 5e-3. */
const TOLERANCES: Readonly<Record<number, Tolerance>> = {
  1: { atolRelativeToMax: 1e-4 },
  2: { atolRelativeToMax: 1e-4 },
  10: { atolRelativeToMax: 1e-3 },
  50: { atolRelativeToMax: 5e-3 },
}
const TRACE_TOLERANCE: Tolerance = { atolRelativeToMax: 5e-3 }

export const TRAJECTORY_CASES = ['yosinski-a', 'yosinski-b'] as const

/** Starts of which one has to give the stored trajectory: as it is, and moved by a half, 1, 2 … 32 roundings of float32. */
const STARTS = 8

/**
 * A ReLU or a threshold that falls on the other side in float32 sends a trajectory elsewhere, as the cases say. Where a setting fails, it is
 * repeated from starts that differ from the stored one by a few roundings (at most 4e-6, far below every tolerance); one of them has to give
 * the whole stored trajectory.
 * @param lastStep trajectories are followed up to here: slow engines follow the first ten iterations
 */
export async function trajectoryRows(engine: Engine, folder: string, name: string, lastStep: number): Promise<Row[]> {
  const file = await CaseFile.read(folder, name)
  const { steps, settings } = Parameters.parse(file.json.parameters)
  const network = storedNetwork(engine.tf, file)
  const [height = 1, width = 1, channels = 1] = network.graph.input.shape
  const means = file.values('mean').data
  const grey: GreyLevels = {
    shape: [height, width, channels],
    mean: Float32Array.from({ length: height * width * channels }, (_, place) => means[place % channels] ?? 0),
    toNetwork: new Float32Array(channels).fill(1),
  }
  const layers = new Map<string, AscentLayer>()
  const rows: Row[] = []
  for (const [setting, stored] of Object.entries(settings)) {
    const layer = layers.get(stored.layer) ?? new AscentLayer(engine, network, stored.layer, grey)
    layers.set(stored.layer, layer)
    const followed = steps.filter((step) => step <= lastStep)
    let found: Row[] = []
    for (let start = 0; start < STARTS && (start === 0 || found.some(({ pass }) => !pass)); start++) {
      const title = `${name} ${setting}${start > 0 ? `, start moved by ${2 ** (start - 2)} roundings` : ''}`
      found = await rowsOf(file, { title, setting, start }, stored, layer, followed)
    }
    rows.push(...found)
  }
  for (const layer of layers.values()) layer.dispose()
  network.dispose()
  return rows
}

async function rowsOf(
  file: CaseFile,
  { title, setting, start }: { title: string; setting: string; start: number },
  stored: StoredSettings,
  layer: AscentLayer,
  steps: readonly number[],
): Promise<Row[]> {
  const [channel = 0, row, column] = stored.unit
  const position = row === undefined || column === undefined ? null : ([row, column] as const)
  const random = new RandomStream(start, 'start')
  const picture = Float32Array.from(file.values('x0').data, (value) =>
    start === 0 ? value : value * (1 + (random.uniform() - 0.5) * 2 ** (start - 24)),
  )
  const ascent = new Ascent(layer, [{ unit: { channel, position }, settings: settingsOf(stored), picture }])
  const rows: Row[] = []
  for (let step = 1; step <= Math.max(...steps); step++) {
    await ascent.iterate()
    const array = `x/${setting}/${step}`
    if (!file.arrayNames.includes(array)) continue
    const expected = file.values(array)
    const actual = { shape: expected.shape, data: await ascent.pictures() }
    rows.push(compare(title, `picture ${step}`, actual, expected, TOLERANCES[step] ?? {}))
  }
  const traces = await ascent.takeTraces()
  const expected = file.values(`trace/${setting}`)
  for (const [index, quantity] of (['objective', 'gradientNorm', 'rate'] as const).entries()) {
    const column = TRACE_QUANTITIES.indexOf(quantity)
    const rowCount = Math.max(...steps)
    const actual = Array.from({ length: rowCount }, (_, at) => traces[at * TRACE_QUANTITIES.length + column] ?? NaN)
    const wanted = Array.from({ length: rowCount }, (_, at) => expected.data[at * 3 + index] ?? NaN)
    rows.push(
      compare(
        title,
        quantity,
        { shape: [rowCount], data: actual },
        { shape: [rowCount], data: wanted },
        TRACE_TOLERANCE,
      ),
    )
  }
  ascent.dispose()
  return rows
}

function settingsOf(stored: StoredSettings): AscentSettings {
  const { policy, maxLr: maxRate, lr: rate } = stored
  return AscentSettings.parse({
    iterations: 100,
    policy:
      policy === 'constant'
        ? { kind: policy, rate }
        : policy === 'progress'
          ? { kind: policy, maxRate, desired: stored.desiredProgress }
          : { kind: policy, maxRate, early: stored.earlyProgress, late: stored.lateProgressMultiplier },
    scale: 'published',
    decay: stored.decay,
    blurSigma: stored.blurSigma,
    blurEvery: stored.blurEvery,
    normPercentile: stored.smallNormPercentile,
    contributionPercentile: stored.smallContributionPercentile,
  })
}
