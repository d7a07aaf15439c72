/** The whole conformance table of the network core; it runs on every engine. */
import type { TensorFlow } from '../layer.ts'
import { DECONVNET_CASES, deconvnetRows } from './deconvnet-cases.ts'
import { gradientRows } from './gradient-cases.ts'
import { layerCaseRows } from './layer-cases.ts'
import { occlusionRows } from './occlusion-cases.ts'
import { receptiveFieldRows } from './receptive-field-cases.ts'
import type { Row } from './rows.ts'

export type { Row } from './rows.ts'

/** @param folder with the stored cases (tests/conformance) */
export async function runNetworkConformance(tf: TensorFlow, folder: string): Promise<Row[]> {
  const rows = [
    ...(await layerCaseRows(tf, folder)),
    ...(await gradientRows(tf)),
    ...(await receptiveFieldRows(folder)),
    ...(await occlusionRows(tf, folder)),
  ]
  for (const name of DECONVNET_CASES) rows.push(...(await deconvnetRows(tf, folder, name)))
  return rows
}

/** One line a failed row, for the message of a test. */
export function failures(rows: readonly Row[]): string[] {
  return rows
    .filter((row) => !row.pass)
    .map((row) => `${row.name}, ${row.quantity}: ${row.reason ?? `${row.ratio.toPrecision(3)} times what is allowed`}`)
}
