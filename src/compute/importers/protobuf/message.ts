/**
 * Messages as tables of fields, with the types of what is decoded. One table reads both forms of a message: the wire format and the
 * text format. Fields that a table does not list are passed over, as Protocol Buffers do.
 */
import type { ElementType } from '../../files/element-types.ts'
import { BYTES_OF_TYPE } from '../../files/element-types.ts'
import type { StoredRun } from '../assembly/stored-values.ts'
import { damagedText, type TextMessage, type TextScalar } from './text-format.ts'
import type { ByteRange, WireField, WireReader } from './wire-reader.ts'

interface WirePlace {
  readonly reader: WireReader
  /** What messages call the field. */
  readonly path: string
}
interface TextPlace {
  readonly file: string
  readonly path: string
}
type TextValue = TextMessage | TextScalar

/** How one value is read. */
interface ValueType<V> {
  readonly fromWire: (field: WireField, place: WirePlace) => V
  readonly fromText: (value: TextValue, place: TextPlace) => V
  /** All values of a packed field; undefined for what is never packed. */
  readonly packed?: (field: WireField, place: WirePlace) => readonly V[]
}

/** A field of a message: its number, and how what is found joins what was found before. */
export interface FieldType<V> {
  readonly number: number
  empty(): V
  addWire(before: V, field: WireField, place: WirePlace): V
  addText(before: V, value: TextValue, place: TextPlace): V
}
type Fields = Readonly<Record<string, FieldType<unknown>>>
type FieldValue<F> = F extends FieldType<infer V> ? V : never

/** What a table decodes to. */
export type Decoded<M> = M extends MessageType<infer F> ? { readonly [K in keyof F]: FieldValue<F[K]> } : never

export class MessageType<F extends Fields> {
  readonly fields: F
  readonly #byNumber: ReadonlyMap<number, string>

  constructor(fields: F) {
    this.fields = fields
    this.#byNumber = new Map(Object.entries(fields).map(([name, field]) => [field.number, name]))
  }

  /** The message without a single field. */
  empty(): Decoded<MessageType<F>> {
    return this.#start() as Decoded<MessageType<F>>
  }

  /** @throws ConvScopeError 'damaged' with the byte */
  decode(reader: WireReader, range: ByteRange, path: string): Decoded<MessageType<F>> {
    const values = this.#start()
    for (const field of reader.fields(range, path)) {
      const name = this.#byNumber.get(field.number)
      if (name === undefined) continue
      const type = this.#field(name)
      values[name] = type.addWire(values[name], field, { reader, path: `${path}.${name}` })
    }
    return values as Decoded<MessageType<F>>
  }

  /** @throws ConvScopeError 'damaged' with the line */
  decodeText(message: TextMessage, file: string, path = ''): Decoded<MessageType<F>> {
    const values = this.#start()
    for (const { name, value } of message.fields) {
      if (!Object.hasOwn(values, name)) continue
      values[name] = this.#field(name).addText(values[name], value, {
        file,
        path: path === '' ? name : `${path}.${name}`,
      })
    }
    return values as Decoded<MessageType<F>>
  }

  #start(): Record<string, unknown> {
    const names = [...this.#byNumber.values()]
    return Object.fromEntries(names.map((name) => [name, this.#field(name).empty()]))
  }

  #field(name: string): FieldType<unknown> {
    return this.fields[name] as FieldType<unknown>
  }
}

/** A field that is there once or not; of several the last counts. */
export function optional<V>(number: number, type: ValueType<V>): FieldType<V | undefined> {
  return {
    number,
    empty: () => undefined,
    addWire: (_before, field, place) => type.fromWire(field, place),
    addText: (_before, value, place) => type.fromText(value, place),
  }
}

/** Any number of values, in their order; packed or not. */
export function repeated<V>(number: number, type: ValueType<V>): FieldType<V[]> {
  return {
    number,
    empty: () => [],
    addWire: (before, field, place) => {
      if (field.wire === 'length' && type.packed !== undefined) {
        for (const value of type.packed(field, place)) before.push(value)
      } else before.push(type.fromWire(field, place))
      return before
    },
    addText: (before, value, place) => {
      before.push(type.fromText(value, place))
      return before
    },
  }
}

/** Numbers that stay in the file, packed or one by one: where they lie. */
export function stored(number: number, element: ElementType & ('float32' | 'float64')): FieldType<StoredRun[]> {
  const bytes = BYTES_OF_TYPE[element]
  return {
    number,
    empty: () => [],
    addWire: (before, field, { reader, path }) => {
      const { file } = reader
      const length = field.to - field.from
      if (field.wire === 'length') {
        if (length % bytes !== 0) {
          throw reader.damaged(field.place, `${path} has ${length} bytes, which are no whole number of values`)
        }
        if (length > 0) before.push({ file, offset: field.from, count: length / bytes, type: element, stride: bytes })
        return before
      }
      if (length !== bytes || field.wire === 'varint') throw wrongKind(field, { reader, path })
      const last = before.at(-1)
      const stride = field.to - field.place
      // One by one they stand at even distances: one run for all of them.
      if (
        last !== undefined &&
        last.offset + last.count * stride === field.from &&
        (last.count === 1 || last.stride === stride)
      ) {
        before[before.length - 1] = { ...last, count: last.count + 1, stride }
      } else before.push({ file, offset: field.from, count: 1, type: element, stride: bytes })
      return before
    },
    addText: (_before, value, { file, path }) => {
      throw damagedText(file, value.line, `${path} holds weights as text, which are not read`)
    },
  }
}

export const text: ValueType<string> = {
  fromWire: (field, place) => place.reader.text(requireWire('length', field, place), place.path),
  fromText: (value, place) => scalar(value, place).text,
}

/** Where bytes lie in the file; never in text. */
export const bytes: ValueType<ByteRange> = {
  fromWire: (field, place) => requireWire('length', field, place),
  fromText: (value, { file, path }) => {
    throw damagedText(file, value.line, `${path} holds bytes as text, which are not read`)
  },
}

export const integer: ValueType<number> = {
  fromWire: (field, place) => requireWire('varint', field, place).value,
  packed: (field, { reader, path }) => reader.packedVarints(field, path),
  fromText: (value, place) => {
    const { text: written, line } = scalar(value, place)
    if (!/^[+-]?(\d+|0x[0-9a-f]+)$/i.test(written)) {
      throw damagedText(place.file, line, `${place.path} must be a whole number, not ${written}`)
    }
    return Number(written)
  },
}

export const boolean: ValueType<boolean> = {
  fromWire: (field, place) => requireWire('varint', field, place).value !== 0,
  fromText: (value, place) => {
    const { text: written, line } = scalar(value, place)
    if (written === 'true' || written === '1' || written === 't') return true
    if (written === 'false' || written === '0' || written === 'f') return false
    throw damagedText(place.file, line, `${place.path} must be true or false, not ${written}`)
  },
}

export const float: ValueType<number> = {
  fromWire: (field, place) => place.reader.float32(requireWire('fixed32', field, place).from),
  packed: (field, { reader, path }) => {
    const count = (field.to - field.from) / 4
    // Lists of weights are `stored`; these are settings.
    if (!Number.isInteger(count) || count > 65_536) throw reader.damaged(field.place, `${path} is no list of numbers`)
    return Array.from({ length: count }, (_, index) => reader.float32(field.from + 4 * index))
  },
  fromText: (value, place) => {
    const { text: written, line } = scalar(value, place)
    const number = Number(written.replace(/(?<=[\d.])f$/i, ''))
    if (written === '' || Number.isNaN(number)) {
      throw damagedText(place.file, line, `${place.path} must be a number, not ${written}`)
    }
    return number
  },
}

/** A named value by its number; unknown numbers are given as `#7`, unknown names as they are. */
export function named(names: Readonly<Record<number, string>>): ValueType<string> {
  return {
    fromWire: (field, place) => {
      const { value } = requireWire('varint', field, place)
      return names[value] ?? `#${value}`
    },
    fromText: (value, place) => {
      const { text: written } = scalar(value, place)
      return /^\d+$/.test(written) ? (names[Number(written)] ?? `#${written}`) : written
    },
  }
}

export function embedded<F extends Fields>(type: MessageType<F>): ValueType<Decoded<MessageType<F>>> {
  return {
    fromWire: (field, place) => type.decode(place.reader, requireWire('length', field, place), place.path),
    fromText: (value, place) => {
      if (!('fields' in value)) {
        throw damagedText(place.file, value.line, `${place.path} must be { … }, not ${value.text}`)
      }
      return type.decodeText(value, place.file, place.path)
    },
  }
}

function requireWire(wire: WireField['wire'], field: WireField, place: WirePlace): WireField {
  if (field.wire !== wire) throw wrongKind(field, place)
  return field
}

function wrongKind(field: WireField, { reader, path }: WirePlace) {
  return reader.damaged(field.place, `${path} is of another kind (${field.wire}) than it should be`)
}

function scalar(value: TextValue, { file, path }: TextPlace): TextScalar {
  if ('fields' in value) throw damagedText(file, value.line, `${path} must be a value, not { … }`)
  return value
}
