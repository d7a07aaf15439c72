/** Numbers in sentences. */

const SHOWN = 8

/** '3, 7, 12', and '…' where there are more than a line holds. */
export function listed(values: readonly (number | string)[]): string {
  return values.slice(0, SHOWN).join(', ') + (values.length > SHOWN ? ', …' : '')
}

/** '1 channel', '3 channels'. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** '83.5 %' */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`
}
