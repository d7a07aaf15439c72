/** The numbers of the study's experiments as tables for other programs. */
import type { CsvCell, CsvTable } from '../../shared/csv.ts'
import type { CorrespondenceResult } from '../../shared/experiments/correspondence.ts'
import type { DeconvnetResult } from '../../shared/experiments/deconvnet.ts'
import type { FeatureEvolutionResult } from '../../shared/experiments/feature-evolution.ts'
import type { InvarianceResult } from '../../shared/experiments/invariance.ts'
import type { TopLayerTable } from '../../shared/experiments/top-activations.ts'

/** One line a projected unit. */
export function unitTable({ units }: Pick<DeconvnetResult, 'units'>): CsvTable {
  return {
    columns: ['channel', 'row', 'column', 'activation', 'magnitude'],
    rows: units.map(({ channel, position, value, magnitude }) => [
      channel,
      ...(position ?? [null, null]),
      value,
      magnitude,
    ]),
  }
}

/** One line an entry; dead channels have none. */
export function topTable({ classes, channels }: TopLayerTable): CsvTable {
  const fields = ['field row 0', 'field row 1', 'field column 0', 'field column 1']
  return {
    columns: ['channel', 'rank', 'picture', 'value', 'row', 'column', 'class', ...fields],
    rows: channels
      .filter(({ responds }) => responds)
      .flatMap(({ channel, top }) =>
        top.map(({ picture, value, position, class: label, field }, rank): CsvCell[] => [
          channel,
          rank + 1,
          picture,
          value,
          ...(position ?? [null, null]),
          label === null ? null : (classes[label] ?? String(label)),
          ...(field ?? [null, null, null, null]),
        ]),
      ),
  }
}

/** One line a value of a transformation and a picture (counted from 1). */
export function curveTable({ layers, classes, curves }: Omit<InvarianceResult, 'network'>): CsvTable {
  const distances = layers.map((layer) => `distance ${layer}`)
  return {
    columns: ['transformation', 'direction', 'picture', 'class', 'value', ...distances, 'probability'],
    rows: curves.flatMap((curve) =>
      classes.flatMap((followed, picture) =>
        curve.values.map((value, version): CsvCell[] => [
          curve.kind,
          curve.kind === 'translation' ? curve.direction : null,
          picture + 1,
          followed?.label ?? null,
          value,
          ...layers.map((_, layer) => curve.distances[layer]?.[picture]?.[version] ?? null),
          curve.probabilities[picture]?.[version] ?? null,
        ]),
      ),
    ),
  }
}

/** One line a part and layer. */
export function correspondenceTable({ layers, rows }: Pick<CorrespondenceResult, 'layers' | 'rows'>): CsvTable {
  return {
    columns: ['part', 'layer', 'mean', 'standard error', 'pairs'],
    rows: rows.flatMap(({ part, layers: values }) =>
      values.map(({ mean, standardError, pairs }, index) => [part, layers[index] ?? null, mean, standardError, pairs]),
    ),
  }
}

/** One line a channel and epoch. */
export function evolutionTable({ epochs, layers }: Pick<FeatureEvolutionResult, 'epochs' | 'layers'>): CsvTable {
  return {
    columns: ['layer', 'channel', 'epoch', 'picture', 'value', 'row', 'column'],
    rows: layers.flatMap(({ layer, channels }) =>
      channels.flatMap(({ channel, strongest }) =>
        strongest.map((found, index): CsvCell[] => [
          layer,
          channel,
          epochs[index] ?? null,
          ...(found ? [found.picture, found.value, ...(found.position ?? [null, null])] : [null, null, null, null]),
        ]),
      ),
    ),
  }
}
