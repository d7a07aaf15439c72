/** The stored occlusions: raw values of every position, means over the squares that cover a pixel, and how many do. */
import * as z from 'zod'
import type { Step, TensorTree } from '../../engines/engine.ts'
import { eagerStep } from '../../engines/eager-step.ts'
import { coverage, meanMap, occlusionGrid } from '../../study/occlusion-grid.ts'
import { OcclusionWalk } from '../../study/occlusion-walk.ts'
import type { TensorFlow } from '../layer.ts'
import { CaseFile } from './case-file.ts'
import { storedNetwork } from './deconvnet-cases.ts'
import { compare, type Row } from './rows.ts'

const Pair = z.tuple([z.number(), z.number()])
const Parameters = z.object({
  classIndex: z.number(),
  layer: z.string(),
  channelOfLargestActivation: z.number(),
  settings: z.record(
    z.string(),
    z.object({
      window: Pair,
      stride: Pair,
      fill: z.union([z.number(), z.array(z.number())]),
      positions: z.enum(['complete', 'partial']),
    }),
  ),
})

export async function occlusionRows(tf: TensorFlow, folder: string): Promise<Row[]> {
  const file = await CaseFile.read(folder, 'occlusion')
  const { classIndex, layer, channelOfLargestActivation, settings } = Parameters.parse(file.json.parameters)
  const network = storedNetwork(tf, file)
  const [height = 1, width = 1, channels = 1] = network.graph.input.shape
  const input = {
    shape: [height, width, channels] as const,
    values: Float32Array.from(file.values('image').data),
    label: null,
  }
  const engine = {
    tf,
    compile: <I extends TensorTree, O extends TensorTree>(step: Step<I, O>) => eagerStep(tf, tf.getBackend(), step),
  }
  const rows: Row[] = []
  for (const [name, { window, stride, fill, positions }] of Object.entries(settings)) {
    const grid = occlusionGrid([height, width], window, stride, positions)
    const fills = typeof fill === 'number' ? new Array<number>(channels).fill(fill) : fill
    const walk = new OcclusionWalk(engine, network, input, { layer, fill: fills, batchSize: 64 })
    const clean = await walk.clean()
    const events = walk.run(grid, channelOfLargestActivation, classIndex, new AbortController().signal)
    let step = await events.next()
    while (!step.done) step = await events.next()
    const records = step.value
    walk.dispose()
    const row = (array: string, shape: number[], data: ArrayLike<number>): Row =>
      compare(`${file.name} ${name}`, array, { shape, data }, file.values(array), file.json.tolerance)
    const places = [grid.rows.length, grid.columns.length]
    const counts = coverage(grid)
    const values = { logit: records.logit, probability: records.probability, activation: records.activation }
    for (const [what, data] of Object.entries(values)) {
      rows.push(row(`grid/${name}/${what}`, places, data))
      rows.push(row(`map/${name}/${what}`, [height, width], meanMap(grid, data, counts)))
    }
    rows.push(row(`grid/${name}/argmax`, places, records.label), row(`count/${name}`, [height, width], counts))
    const said = [clean.logits[classIndex], clean.probabilities[classIndex], clean.sums[channelOfLargestActivation]]
    rows.push(
      row(
        'clean',
        [3],
        said.map((value) => value ?? NaN),
      ),
    )
  }
  network.dispose()
  return rows
}
