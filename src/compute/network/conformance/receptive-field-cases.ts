/** The stored geometry of published networks: sizes, receptive fields, strides and boxes, exactly. */
import * as z from 'zod'
import { NetworkSpec } from '../../../shared/network/spec.ts'
import { buildGraph, layerNamed } from '../graph.ts'
import { boxOf, clipBox } from '../receptive-field.ts'
import { CaseFile } from './case-file.ts'
import { compare, passed, type Row } from './rows.ts'

const Pad = z.tuple([z.number(), z.number(), z.number(), z.number()])
const Box = z.array(z.number()).length(4)
const StoredNetwork = z.object({
  input: z.tuple([z.number(), z.number()]),
  layers: z.array(
    z.object({
      layer: z.string(),
      kind: z.enum(['conv', 'pool']),
      k: z.number(),
      s: z.number(),
      pad: Pad,
      rounding: z.enum(['floor', 'ceil']),
      size: z.tuple([z.number(), z.number()]),
      rf: z.number(),
      stride: z.number(),
      start: z.tuple([z.number(), z.number()]),
      units: z.record(z.string(), z.object({ box: Box, clipped: Box })),
    }),
  ),
})

export async function receptiveFieldRows(folder: string): Promise<Row[]> {
  const file = await CaseFile.read(folder, 'receptive-fields')
  return Object.entries(file.json.parameters).flatMap(([name, value]) => networkRows(`${file.name} ${name}`, value))
}

function networkRows(title: string, value: unknown): Row[] {
  const { input, layers } = StoredNetwork.parse(value)
  const graph = buildGraph(
    NetworkSpec.parse({
      format: 'convscope-network',
      version: 1,
      name: 'geometry',
      title,
      preprocessing: { channelOrder: 'grey' },
      layers: [
        { name: 'input', type: 'input', shape: [...input, 1] },
        ...layers.map(({ layer, kind, k, s, pad, rounding }) =>
          kind === 'conv'
            ? { name: layer, type: 'conv2d', filters: 1, kernel: [k, k], stride: [s, s], padding: pad }
            : { name: layer, type: 'max-pool', kernel: [k, k], stride: [s, s], padding: pad, rounding },
        ),
      ],
    }),
  )
  return layers.flatMap(({ layer, size, rf, stride, start, units }) => {
    const { shape, view } = layerNamed(graph, layer)
    if (view === 'global') return [passed(title, layer, false, 'the field is global')]
    const { rows, columns } = view
    const geometry = [...shape.slice(0, 2), rows.field.size, rows.field.stride, rows.field.offset, columns.field.offset]
    const expected = [...size, rf, stride, ...start]
    return [
      compare(title, `${layer} geometry`, list(geometry), list(expected), {}),
      ...Object.entries(units).map(([unit, { box, clipped }]) => {
        const [row = 0, column = 0] = unit.split(',').map(Number)
        const unclipped = boxOf(view, row, column, input)
        return compare(
          title,
          `${layer} ${unit}`,
          list([...unclipped, ...clipBox(unclipped, input)]),
          list([...box, ...clipped]),
          {},
        )
      }),
    ]
  })
}

function list(data: readonly number[]): { shape: number[]; data: readonly number[] } {
  return { shape: [data.length], data }
}
