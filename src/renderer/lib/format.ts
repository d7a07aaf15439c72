const MINUS = '\u2212'

/** A measured value with `digits` significant digits and a true minus sign: `1.23`, `−0.0045`, `1.2e-7`. */
export function formatValue(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value).replace('-', MINUS)
  if (value === 0) return '0'
  const magnitude = Math.abs(value)
  const text =
    magnitude >= 1e6 || magnitude < 1e-4
      ? magnitude
          .toExponential(digits - 1)
          .replace('e+', 'e')
          .replace('e-', `e${MINUS}`)
      : magnitude >= 10 ** digits
        ? magnitude.toFixed(0)
        : magnitude.toPrecision(digits)
  return value < 0 ? MINUS + text : text
}

/** Whole numbers with thin spaces between thousands: `60 000`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

/** A number beside an axis: whole ones like counts, others as they are. */
export function formatTick(value: number): string {
  const text = Number.isInteger(value) ? formatCount(Math.abs(value)) : String(Math.abs(value))
  return value < 0 ? MINUS + text : text
}

export const formatThreads = (count: number): string => `${count} ${count === 1 ? 'thread' : 'threads'}`

/** Probability as per cent: `99.2 %`, `0.03 %`. */
export function formatPercent(fraction: number): string {
  const percent = fraction * 100
  if (percent > 0 && percent < 0.01) return '< 0.01 %'
  return `${percent >= 99.995 ? '100' : percent.toFixed(percent < 1 ? 2 : 1)} %`
}

/** Bytes in units of 1000: `612 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`
}

/** Sizes with multiplication signs: `24 × 24 × 64`. */
export const formatShape = (shape: readonly number[]): string => shape.map(String).join(' × ')

/** Of a data set's pictures. */
export const formatPictureShape = (shape: readonly number[] | null): string =>
  shape ? formatShape(shape) : 'different sizes'

/** What a split of a data set is called: `Training`, `Test`, or its own name. */
export const formatSplit = (name: string): string => ({ train: 'Training', test: 'Test' })[name] ?? name

/** A short time: `84 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatMilliseconds(milliseconds: number): string {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`
  if (milliseconds < 1000) return `${milliseconds.toFixed(0)} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** Time left, rounded for reading: `12 s`, `4 min`, `2 h`. */
export function formatTimeLeft(seconds: number): string {
  if (seconds < 60) return `${Math.max(1, Math.ceil(seconds))} s`
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}

/** How long ago: `just now`, `5 min ago`, `yesterday`, or the date. */
export function formatAgo(timestamp: number, now: number): string {
  const minutes = Math.floor((now - timestamp) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours} h ago`
  if (hours < 48) return 'yesterday'
  return new Date(timestamp).toISOString().slice(0, 10)
}

/** Date and time of day in the local time zone: `2026-03-01 14:05`. */
export function formatDate(timestamp: number): string {
  const date = new Date(timestamp)
  const two = (part: number): string => String(part).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** The first letters of a hash, enough to compare by eye. */
export const shortHash = (hash: string): string => hash.slice(0, 10)
