import { formatCount, formatValue } from '../../lib/format.ts'

export { extend, type Curve } from '../../lib/curves.ts'

/** A value with its name: `trainErrorPercent` 7.5 → "train error 7.50 %", `imagesPerSecond` 812.3 → "812 images / s". */
export function valueText(name: string, value: number): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  const number = Number.isInteger(value) ? formatCount(value) : formatValue(value)
  if (words.endsWith(' per second')) return `${number} ${words.replace(/ per second$/, ' / s')}`
  return words.endsWith(' percent') ? `${words.replace(/ percent$/, '')} ${number} %` : `${words} ${number}`
}
