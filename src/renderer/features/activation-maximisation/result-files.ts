/** What came of a run as tables. */
import type { CsvCell, CsvTable } from '../../../shared/csv.ts'
import { TRACE_QUANTITIES } from '../../../shared/experiments/activation-maximisation.ts'
import { itemCurves, type MaximisedRun } from './maximised-run.ts'

/** A row for each picture; settings and starts count from 1 as they are shown. */
export function itemsTable({ params, result }: Pick<MaximisedRun, 'params' | 'result'>): CsvTable {
  const rows = result.items.map((item): CsvCell[] => [
    ...[item.layer, item.channel, item.position?.[0] ?? null, item.position?.[1] ?? null],
    ...[item.setting + 1, params.settings[item.setting]?.name ?? null, item.start + 1, item.outcome],
    ...[item.objective.first, item.objective.best, item.objective.last],
    ...[item.majorityStep, item.iterations, item.totalVariation],
  ])
  return {
    columns: [
      ...['layer', 'channel', 'row', 'column', 'setting', 'setting_name', 'start', 'outcome'],
      ...['objective_first', 'objective_best', 'objective_last', 'majority_step', 'iterations', 'total_variation'],
    ],
    rows,
  }
}

/** What the iterations of one picture recorded, a row an iteration. */
export function curvesTable(run: Pick<MaximisedRun, 'traces' | 'result'>, item: number): CsvTable {
  const curves = itemCurves(run, item)
  const iterations = [...new Set(Object.values(curves).flatMap(({ x }) => x))].sort((a, b) => a - b)
  const known = TRACE_QUANTITIES.map((quantity) => {
    const { x = [], values = [] } = curves[quantity] ?? {}
    return new Map(x.map((at, place) => [at, values[place] ?? null]))
  })
  return {
    columns: ['iteration', ...TRACE_QUANTITIES],
    rows: iterations.map((at) => [at, ...known.map((values) => values.get(at) ?? null)]),
  }
}
