/** What people call the parts of a data set. */

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/(^|[^a-z])(train|training|trn|tr)([^a-z]|$)/i, 'train'],
  [/(^|[^a-z])(test|testing|tst|t10k|te)([^a-z]|$)/i, 'test'],
  [/(^|[^a-z])(val|valid|validation|dev)([^a-z]|$)/i, 'val'],
]

/** `train`, `test` or `val` for a name that says so; undefined for others. */
export function splitNameOf(name: string): string | undefined {
  return NAMES.find(([pattern]) => pattern.test(name))?.[1]
}
