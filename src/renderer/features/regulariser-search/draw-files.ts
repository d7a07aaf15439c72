/** Draws of a search as files: a table, JSON, and the sheet as one picture. */
import { sheetColumns } from '../../../shared/contact-sheet.ts'
import type { CsvCell, CsvTable } from '../../../shared/csv.ts'
import type { RegulariserSearchResult } from '../../../shared/experiments/regulariser-search.ts'
import type { RunMarks } from '../../../shared/presets.ts'
import { sheetPlace } from '../../lib/paint.ts'
import { drawTile, type Sheet } from '../../lib/picture-canvas.ts'

const COLUMNS = [
  ...['draw', 'mark', 'group', 'outcome', 'objective_first', 'objective_best', 'objective_last'],
  ...['majority_step', 'iterations', 'total_variation', 'naturalness'],
  ...['decay', 'blur_sigma', 'blur_every', 'norm_percentile', 'contribution_percentile'],
  ...['policy', 'rate', 'max_rate', 'desired', 'early', 'late'],
]

/** A row for each of the chosen draws, in their order; draws and groups count from 1 as they are shown. */
export function drawsTable({ draws }: RegulariserSearchResult, marks: RunMarks, chosen: readonly number[]): CsvTable {
  const rows = chosen.flatMap((index): CsvCell[][] => {
    const draw = draws[index]
    if (!draw) return []
    const { item, settings, naturalness, group } = draw
    const { policy } = settings
    const { objective } = item
    const rates = {
      rate: 'rate' in policy ? policy.rate : null,
      maxRate: 'maxRate' in policy ? policy.maxRate : null,
      desired: 'desired' in policy ? policy.desired : null,
      early: 'early' in policy ? policy.early : null,
      late: 'late' in policy ? policy.late : null,
    }
    return [
      [
        ...[index + 1, marks[String(index)] ?? null, group + 1, item.outcome],
        ...[objective.first, objective.best, objective.last],
        ...[item.majorityStep, item.iterations, item.totalVariation, naturalness],
        ...[settings.decay, settings.blurSigma, settings.blurEvery],
        ...[settings.normPercentile, settings.contributionPercentile],
        ...[policy.kind, rates.rate, rates.maxRate, rates.desired, rates.early, rates.late],
      ],
    ]
  })
  return { columns: COLUMNS, rows }
}

/** The chosen draws as the result has them, with their numbers and marks. */
export function drawsJson(result: RegulariserSearchResult, marks: RunMarks, chosen: readonly number[]): string {
  const draws = chosen.map((index) => ({ draw: index + 1, mark: marks[String(index)] ?? null, ...result.draws[index] }))
  return `${JSON.stringify({ network: result.network, scale: result.scale, draws }, undefined, 2)}\n`
}

/** The chosen tiles of a sheet as one picture, each `factor` times as large. */
export function chosenTiles(sheet: Sheet, chosen: readonly number[], factor: number): HTMLCanvasElement {
  const columns = sheetColumns(chosen.length)
  const [width, height] = [sheet.tileWidth * factor, sheet.tileHeight * factor]
  const canvas = document.createElement('canvas')
  canvas.width = columns * width
  canvas.height = Math.ceil(chosen.length / columns) * height
  const context = canvas.getContext('2d')
  if (!context) throw new Error('The browser offers no canvas')
  for (const [place, index] of chosen.entries()) {
    const { left, top } = sheetPlace(place, columns, width, height)
    drawTile(context, sheet, index, left, top, width, height)
  }
  return canvas
}
