/** Labels and class names that users bring along in files of their own. */
import { NO_LABEL } from '../../../shared/datasets.ts'
import { ConvScopeError } from '../../../shared/errors.ts'

/** Given the paths of all pictures, the classes and each picture's label. @throws ConvScopeError 'invalid-input' */
export type LabelTable = (paths: readonly string[]) => {
  readonly classes: readonly string[]
  labelOf(path: string): number
}

export interface TextFile {
  readonly name: string
  readonly text: string
}

const MAXIMUM_CLASSES = 100_000

/**
 * One class name a line, in the order of the labels; empty lines at the end do not count.
 * @throws ConvScopeError 'invalid-input' for an empty list, a name twice, an empty line between
 */
export function readClassNames({ name, text }: TextFile): string[] {
  const names = text
    .replace(/^\ufeff/, '')
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trim())
  const seen = new Set<string>()
  const wrong = names.findIndex((line) => line === '' || seen.size === seen.add(line).size)
  if (names.length > MAXIMUM_CLASSES || wrong >= 0) {
    const problem =
      wrong < 0
        ? `${names.length} lines`
        : names[wrong] === ''
          ? `nothing in line ${wrong + 1}`
          : `"${names[wrong]}" twice`
    throw new ConvScopeError('invalid-input', `The class names in ${name} cannot be used: it has ${problem}`, {
      remedy: 'Write each class name once, one a line, in the order of the labels.',
    })
  }
  return names
}

/**
 * Lines of a picture's path or file name and its class, with a comma, semicolon, tab or spaces between. Classes are named, or counted
 * from 0. A first line without a picture is a heading.
 * @param classes where their order is given
 * @throws ConvScopeError 'invalid-input' that names the line
 */
export function readLabels({ name, text }: TextFile, classes: readonly string[] | undefined): LabelTable {
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, fields: fieldsOf(line) }))
    .filter(({ fields }) => fields.length > 0)
  return (paths) => {
    const known = byName(paths)
    const rows = lines.flatMap(({ number, fields: [picture = '', label = '', ...rest] }, index) => {
      const path = known.get(picture.replace(/^\.\//, ''))
      if (rest.length === 0 && label !== '' && path !== undefined) return [{ number, path, label }]
      if (index === 0 && path === undefined) return []
      const problem = path === undefined ? `there is no picture "${picture}"` : 'it should be a picture and its class'
      throw new ConvScopeError('invalid-input', `Line ${number} of ${name} cannot be used: ${problem}`, {
        remedy: 'Write one line for each picture: its path or file name, a comma, its class.',
      })
    })
    const isCounted = classes !== undefined || rows.every(({ label }) => /^\d{1,6}$/.test(label))
    const names =
      classes ?? (isCounted ? numbered(rows.map(({ label }) => Number(label))) : sorted(rows.map(({ label }) => label)))
    const indexOf = new Map(names.map((className, index) => [className, index]))
    const labels = new Map(
      rows.map(({ number, path, label }) => {
        const index = indexOf.get(label) ?? (/^\d{1,6}$/.test(label) ? Number(label) : names.length)
        if (index < names.length) return [path, index]
        throw new ConvScopeError('invalid-input', `Line ${number} of ${name} names the unknown class "${label}"`, {
          remedy: `Known are the ${names.length} classes ${names.slice(0, 10).join(', ')}${names.length > 10 ? ' …' : ''}.`,
        })
      }),
    )
    return { classes: names, labelOf: (path) => labels.get(path) ?? NO_LABEL }
  }
}

/** Names of classes that are only counted. */
export function numbered(labels: Iterable<number>): string[] {
  let largest = -1
  for (const label of labels) largest = Math.max(largest, label)
  if (largest >= MAXIMUM_CLASSES) {
    throw new ConvScopeError('too-large', `The labels go up to ${largest}; ${MAXIMUM_CLASSES} classes can be used`, {
      remedy: 'Check that the labels are what they should be.',
    })
  }
  return Array.from({ length: largest + 1 }, (_, index) => String(index))
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}

/** Pictures by their path, and by their file name where only one has it. */
function byName(paths: readonly string[]): Map<string, string> {
  const known = new Map<string, string>()
  const twice = new Set<string>()
  for (const path of paths) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (known.has(name)) twice.add(name)
    known.set(name, path)
  }
  for (const name of twice) known.delete(name)
  for (const path of paths) known.set(path, path)
  return known
}

function fieldsOf(line: string): string[] {
  const text = line.trim()
  if (text === '' || text.startsWith('#')) return []
  const separator = [',', ';', '\t'].find((candidate) => text.includes(candidate))
  const fields = separator === undefined ? text.split(/\s+/) : text.split(separator)
  return fields.map((field) => field.trim().replace(/^"(.*)"$/, '$1'))
}
