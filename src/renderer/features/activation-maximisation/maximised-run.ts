import {
  activationMaximisation,
  TRACE_QUANTITIES,
  type ActivationMaximisationParams,
  type ActivationMaximisationResult,
} from '../../../shared/experiments/activation-maximisation.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { NumberArray } from '../../../shared/npy.ts'
import type { RunRecord } from '../../../shared/runs.ts'
import { fetchArray } from '../../lib/artifacts.ts'
import type { Curve } from '../../lib/curves.ts'
import { greyLevels, meanLevels } from '../../lib/maximised-pictures.ts'
import { pictureOf, type PictureSource } from '../../lib/paint.ts'
import type { useClient } from '../../rpc/use-client.ts'
import { classesOf } from './maximisation-draft.ts'

export const MOMENTS = [
  { value: 'best', label: 'Best' },
  { value: 'last', label: 'Last' },
  { value: 'majority', label: 'Majority' },
] as const
export type Moment = (typeof MOMENTS)[number]['value']

/** A finished run with its pictures and curves. */
export interface MaximisedRun {
  readonly id: string
  readonly title: string
  readonly params: ActivationMaximisationParams
  readonly result: ActivationMaximisationResult
  /** Names of the classes where a layer's channels are classes. */
  readonly classesOf: (layer: string) => readonly string[]
  readonly traces: NumberArray
  /** A picture in grey levels; undefined for a majority that never was. */
  readonly picture: (moment: Moment, item: number) => PictureSource | undefined
}

/**
 * Fetches what a run left.
 * @throws ConvScopeError 'not-found' where the run has no result of this kind, or an output or its network is gone
 */
export async function loadMaximisedRun(
  client: ReturnType<typeof useClient>,
  run: RunRecord,
  signal: AbortSignal,
): Promise<MaximisedRun> {
  const document = activationMaximisation.document.safeParse(run.document)
  const result = activationMaximisation.result.safeParse(run.result)
  if (!document.success || !result.success) {
    throw new ConvScopeError('not-found', `The run "${run.title}" has no pictures of activation maximisation`, {
      remedy: 'Choose a run that is done.',
    })
  }
  const array = async (name: string): Promise<NumberArray> => {
    const output = run.outputs.find((candidate) => candidate.name === name && candidate.kind === 'array')
    if (!output) throw new ConvScopeError('not-found', `The run "${run.title}" has no output ${name}`)
    return fetchArray(output.sha256, output.bytes, signal)
  }
  const page = await client.networks.page({ name: result.data.network }, { signal })
  const { preprocessing } = page.network.spec
  const [best, last, majority, traces] = await Promise.all(['best', 'last', 'majority', 'traces'].map(array))
  if (!best || !last || !majority || !traces) throw new RangeError('an array is missing')
  const mean = await meanLevels(run.outputs, preprocessing, signal)
  const shown = {
    best: greyLevels(best, mean),
    last: greyLevels(last, mean),
    majority: greyLevels(majority, mean),
  }
  return {
    ...{ id: run.id, title: run.title, params: document.data.params, result: result.data, traces },
    classesOf: (layer) => classesOf(page, layer),
    picture: (moment, item) => {
      if (moment === 'majority' && result.data.items[item]?.majorityStep === null) return undefined
      const { values, shape } = shown[moment]
      return pictureOf(values, shape, item, preprocessing.channelOrder === 'bgr')
    },
  }
}

/** The curves of one picture over its iterations; what came after its end, early or not, is left out. */
export function itemCurves(
  { traces, result }: Pick<MaximisedRun, 'traces' | 'result'>,
  item: number,
): Record<string, Curve> {
  const [, rows = 0, width = TRACE_QUANTITIES.length] = traces.shape
  const end = result.items[item]?.iterations ?? Infinity
  return Object.fromEntries(
    TRACE_QUANTITIES.map((quantity, place) => {
      const x: number[] = []
      const values: number[] = []
      for (let row = 0; row < rows && row * result.traceEvery <= end; row++) {
        const value = traces.values[(item * rows + row) * width + place] ?? NaN
        if (!Number.isFinite(value)) continue
        x.push(row * result.traceEvery)
        values.push(value)
      }
      return [quantity, { x, values }] as const
    }),
  )
}

/** Items of a run in the blocks they are looked at in: of one unit a block a setting; of several units one block a layer and setting. */
export function blocksOf({ params, result }: Pick<MaximisedRun, 'params' | 'result'>): readonly ItemBlock[] {
  const blocks = new Map<string, { layer: string; setting: number; items: number[] }>()
  for (const [index, { layer, setting }] of result.items.entries()) {
    const key = `${layer} ${setting}`
    const block = blocks.get(key) ?? { layer, setting, items: [] }
    block.items.push(index)
    blocks.set(key, block)
  }
  const layers = new Set(result.items.map(({ layer }) => layer)).size
  return [...blocks.values()].map(({ layer, setting, items }) => {
    const name = params.settings[setting]?.name ?? `Setting ${setting + 1}`
    return { title: layers > 1 ? `${layer}, ${name}` : name, layer, setting, items }
  })
}

export interface ItemBlock {
  readonly title: string
  readonly layer: string
  readonly setting: number
  /** Indices into the result's items. */
  readonly items: readonly number[]
}
