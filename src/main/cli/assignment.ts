/** `--set path=value`: changes to a document on the command line. */
import { ConvScopeError } from '../../shared/errors.ts'

const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * A copy of `document` with `value` at `path`. Paths are keys and list positions joined by dots, under `params` unless they begin with
 * `params`, `seed` or another member of the document. Values are JSON; what is not JSON is taken as text. Objects on the way are made.
 * @throws ConvScopeError 'invalid-input' for an assignment without '=', or a path through something that is not an object or list
 */
export function assign(document: unknown, assignment: string): unknown {
  const equals = assignment.indexOf('=')
  const path = assignment.slice(0, equals).trim()
  if (equals <= 0 || path === '') {
    throw new ConvScopeError('invalid-input', `"${assignment}" is not of the form path=value`, {
      remedy: 'Write for example --set layer=conv2 or --set units.count=16.',
    })
  }
  const keys = path.split('.')
  const copy: unknown = structuredClone(document)
  const isMember = isObject(copy) && keys[0] !== undefined && Object.hasOwn(copy, keys[0])
  setAt(
    copy,
    isMember || keys[0] === 'seed' ? keys : ['params', ...keys],
    valueOf(assignment.slice(equals + 1)),
    assignment,
  )
  return copy
}

function valueOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return text
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function setAt(target: unknown, keys: readonly string[], value: unknown, assignment: string): void {
  const [key, ...rest] = keys
  if (key === undefined) return
  if (key === '' || FORBIDDEN_KEYS.has(key)) throw notThere(assignment, `"${key}" cannot be a name`)
  if (Array.isArray(target)) {
    const list: unknown[] = target
    const index = Number(key)
    if (!Number.isInteger(index) || index < 0 || index > list.length) {
      throw notThere(assignment, `"${key}" is not a position in a list of ${list.length}`)
    }
    if (rest.length === 0) list[index] = value
    else setAt((list[index] ??= {}), rest, value, assignment)
    return
  }
  if (!isObject(target)) throw notThere(assignment, `there is nothing inside the value before "${key}"`)
  if (rest.length === 0) target[key] = value
  else setAt((target[key] ??= {}), rest, value, assignment)
}

function notThere(assignment: string, reason: string): ConvScopeError {
  return new ConvScopeError('invalid-input', `"${assignment}" cannot be set: ${reason}`, {
    remedy: 'See the document with `convscope runs show ID --json`.',
  })
}
