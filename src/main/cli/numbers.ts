/** Numbers of the command line; what is not one is wrong usage. */
import { InvalidArgumentError } from 'commander'

export function wholeNumber(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.')
  return value
}

/** Such as how many pictures. */
export function positiveNumber(text: string): number {
  const value = wholeNumber(text)
  if (value === 0) throw new InvalidArgumentError('It must be 1 or more.')
  return value
}

export function decimalNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.')
  return value
}

/** E.g. "6,9". */
export function wholeNumbers(text: string): number[] {
  return text.split(',').map(wholeNumber)
}

/** E.g. "1e-5,1e-6". */
export function decimalNumbers(text: string): number[] {
  return text.split(',').map(decimalNumber)
}
