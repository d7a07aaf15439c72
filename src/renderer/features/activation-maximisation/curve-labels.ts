import type { Curve } from '../../lib/curves.ts'

/** As many pictures have curves of their activations at most. */
const MOST_CURVES = 9

/**
 * What each curve of activations is of (`objective`, `objective2` …): its setting where all of them differ, otherwise its number.
 * @param curves `setting`, `setting2` … count the run's settings
 * @param settings the names of the run's settings
 */
export function curveLabels(
  curves: Readonly<Record<string, Curve>>,
  settings: readonly string[],
): { readonly curve: string; readonly label: string }[] {
  const suffixes = Array.from({ length: MOST_CURVES }, (_, index) => (index > 0 ? String(index + 1) : ''))
  const shown = suffixes.filter((suffix) => curves[`objective${suffix}`])
  if (shown.length < 2) return shown.map((suffix) => ({ curve: `objective${suffix}`, label: 'activation' }))
  const names = shown.map((suffix) => settings[curves[`setting${suffix}`]?.values.at(-1) ?? -1])
  const differ = !names.includes(undefined) && new Set(names).size === shown.length
  return shown.map((suffix, index) => ({
    curve: `objective${suffix}`,
    label: (differ && names[index]) || suffix || '1',
  }))
}
