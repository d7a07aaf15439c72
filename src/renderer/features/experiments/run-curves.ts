export { extend, type Curve } from '../../lib/curves.ts'

/** A value's name as words: `trainErrorPercent` → `train error %`. */
export function valueName(name: string): string {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/ percent$/, ' %')
    .replace(/ per second$/, ' / s')
}
