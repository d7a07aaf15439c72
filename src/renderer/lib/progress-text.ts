import { formatCount, formatTimeLeft } from './format.ts'

interface Progress {
  readonly done: number
  readonly total: number
  readonly unit: string
  readonly secondsLeft?: number | undefined
}

/** `1 536 / 119 808 images, 12 min left`; without the time left while it stands still. */
export function progressText({ done, total, unit, secondsLeft }: Progress, stands = false): string {
  const left = secondsLeft === undefined || stands ? '' : `, ${formatTimeLeft(secondsLeft)} left`
  return `${formatCount(done)} / ${formatCount(total)} ${unit}${left}`
}

/** How many jobs wait and how many are paused, in words. */
export function waitingText(states: readonly string[]): string {
  const count = (state: string): number => states.filter((other) => other === state).length
  return [count('queued') > 0 && `${count('queued')} waiting`, count('paused') > 0 && `${count('paused')} paused`]
    .filter(Boolean)
    .join(', ')
}
