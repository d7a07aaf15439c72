/**
 * MAT-files of version 5, as MATLAB and SciPy write them: elements of type, length and data, compressed or not. Numbers stay where they
 * are until they are asked for. Lengths are checked against what holds them, compressed data also against the size that it claims.
 */
import { ConvScopeError } from '../../../shared/errors.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import { BYTES_OF_TYPE, type ElementType } from '../../files/element-types.ts'
import { sourceFileOf, type SourceFile } from '../../files/source-file.ts'
import { storedValues } from '../assembly/stored-values.ts'
import { damaged, inflated } from './inflate.ts'
import type { MatFields, MatValue } from './mat-value.ts'

const HEADER_BYTES = 128
const MATRIX = 14
const COMPRESSED = 15
const ELEMENTS: Readonly<Record<number, ElementType>> = {
  1: 'int8',
  2: 'uint8',
  3: 'int16',
  4: 'uint16',
  5: 'int32',
  6: 'uint32',
  7: 'float32',
  9: 'float64',
  12: 'int64',
  13: 'uint64',
}
const TEXT_ENCODINGS: Readonly<Record<number, string>> = {
  1: 'latin1',
  2: 'latin1',
  4: 'utf-16le',
  16: 'utf-8',
  17: 'utf-16le',
}
const CLASS = { cell: 1, struct: 2, object: 3, char: 4, sparse: 5, firstNumber: 6, lastNumber: 15 } as const
const COMPLEX = 0x0800
const MAX_DEPTH = 24
const MAX_VALUES = 500_000
const MAX_TEXT_BYTES = 2 ** 20
/** Networks are hardly compressible; a file that promises far more than this is a bomb. */
const INFLATION = 16
const FREE_INFLATION_BYTES = 64 * 2 ** 20

interface Element {
  readonly type: number
  readonly from: number
  readonly to: number
  readonly next: number
}

/** Whether a file begins like one of version 5. */
export function isMat5(file: SourceFile): boolean {
  return file.size >= HEADER_BYTES && new TextDecoder('latin1').decode(file.read(0, 10)) === 'MATLAB 5.0'
}

/**
 * All variables of a file by name.
 * @throws ConvScopeError 'damaged', 'unsupported' or 'too-large' that names the file and the byte
 */
export async function readMat5(file: SourceFile, signal?: AbortSignal): Promise<MatFields> {
  requireHeader(file)
  const variables = new Map<string, MatValue>()
  let room = FREE_INFLATION_BYTES + INFLATION * file.size
  for (let place = HEADER_BYTES; place < file.size;) {
    const reader = new Mat5Reader(file, 'the file')
    const element = reader.element(place, file.size)
    // Compressed elements are not padded.
    place = element.type === COMPRESSED ? element.to : element.next
    if (element.type === COMPRESSED) {
      const bytes = await inflated(file, element, room, signal)
      room -= bytes.byteLength
      const inner = new Mat5Reader(sourceFileOf(file.name, bytes), `the data inflated from byte ${element.from}`)
      inner.variable(inner.element(0, bytes.byteLength), variables)
    } else reader.variable(element, variables)
  }
  return variables
}

function requireHeader(file: SourceFile): void {
  if (file.size < HEADER_BYTES) throw damaged(file, `it has ${file.size} bytes, less than the header of a MAT-file`)
  const header = file.read(0, HEADER_BYTES)
  const mark = new TextDecoder('latin1').decode(header.subarray(126, 128))
  const version = new DataView(header.buffer, header.byteOffset).getUint16(124, true)
  if (mark === 'MI') {
    throw new ConvScopeError('unsupported', `${file.name} was written on a machine with the opposite byte order.`, {
      remedy: 'Load it in MATLAB or SciPy on today’s machine and save it again.',
    })
  }
  if (mark !== 'IM' || version !== 0x0100) {
    throw damaged(
      file,
      `it does not begin like a MAT-file of version 5 (byte order ${JSON.stringify(mark)}, version ${version})`,
    )
  }
}

class Mat5Reader {
  readonly #file: SourceFile
  readonly #where: string
  #values = 0

  constructor(file: SourceFile, where: string) {
    this.#file = file
    this.#where = where
  }

  element(place: number, end: number): Element {
    if (place + 8 > end) throw this.#refuse(place, 'an element ends early')
    const bytes = this.#file.read(place, 8)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    const tag = view.getUint32(0, true)
    const small = tag >>> 16
    if (small > 0) {
      // Up to four bytes stand in the tag itself.
      if (small > 4) throw this.#refuse(place, `a small element claims ${small} bytes`)
      return { type: tag & 0xffff, from: place + 4, to: place + 4 + small, next: place + 8 }
    }
    const length = view.getUint32(4, true)
    const to = place + 8 + length
    if (to > end) throw this.#refuse(place, `an element claims ${length} bytes where ${end - place - 8} are left`)
    return { type: tag, from: place + 8, to, next: Math.min(place + 8 + Math.ceil(length / 8) * 8, end) }
  }

  /** Adds a named matrix at the top level; other elements are passed over. */
  variable(element: Element, variables: Map<string, MatValue>): void {
    if (element.type !== MATRIX) return
    const { name, value } = this.#matrix(element, 0)
    variables.set(name, value)
  }

  #matrix(element: Element, depth: number): { name: string; value: MatValue; next: number } {
    const { from, to, next } = element
    if (depth > MAX_DEPTH) throw this.#refuse(from, 'cells and structs are nested more deeply than in any network')
    if (++this.#values > MAX_VALUES) throw this.#refuse(from, `there are more than ${MAX_VALUES} values`)
    if (from === to) return { name: '', value: { kind: 'cell', items: [] }, next }
    const flags = this.element(from, to)
    const [bits = 0] = this.#integers(flags, 2)
    const sizes = this.element(flags.next, to)
    const dims = this.#integers(sizes, 16)
    const title = this.element(sizes.next, to)
    const name = this.#text(title)
    const kind = bits & 0xff
    const count = sizeOf(dims)
    if (dims.length < 2 || dims.some((size) => size < 0) || !Number.isSafeInteger(count)) {
      throw this.#refuse(from, `${name || 'a value'} has the sizes [${dims.join(', ')}]`)
    }
    return { name, value: this.#value(kind, bits, dims, count, title.next, to, depth), next }
  }

  #value(
    kind: number,
    bits: number,
    dims: readonly number[],
    count: number,
    place: number,
    end: number,
    depth: number,
  ): MatValue {
    if (kind === CLASS.cell) {
      this.#requireRoom(place, count, end)
      const items: MatValue[] = []
      for (let next = place; items.length < count;) {
        const item = this.#inner(next, end, depth)
        items.push(item.value)
        next = item.next
      }
      return { kind: 'cell', items }
    }
    if (kind === CLASS.struct) return this.#struct(count, place, end, depth)
    if (kind === CLASS.char) {
      const data = this.element(place, end)
      return { kind: 'text', text: this.#text(data) }
    }
    if (kind < CLASS.firstNumber || kind > CLASS.lastNumber) {
      return { kind: 'other', title: kind === CLASS.sparse ? 'a sparse matrix' : 'an object' }
    }
    if ((bits & COMPLEX) !== 0) return { kind: 'other', title: 'complex numbers' }
    const data = this.element(place, end)
    const type = ELEMENTS[data.type]
    if (type === undefined) throw this.#refuse(place, `numbers are of the unknown type ${data.type}`)
    const stride = BYTES_OF_TYPE[type]
    if (data.to - data.from !== count * stride) {
      throw this.#refuse(
        place,
        `[${dims.join(', ')}] numbers of ${type} need ${count * stride} bytes and have ${data.to - data.from}`,
      )
    }
    return {
      kind: 'numbers',
      dims,
      values: storedValues([{ file: this.#file, offset: data.from, count, type, stride }]),
    }
  }

  #struct(count: number, place: number, end: number, depth: number): MatValue {
    const width = this.element(place, end)
    const [length = 0] = this.#integers(width, 1)
    const list = this.element(width.next, end)
    const bytes = list.to - list.from
    if (length < 1 || length > 1024 || bytes % length !== 0 || bytes > MAX_TEXT_BYTES) {
      throw this.#refuse(place, `names of fields have ${length} bytes each, ${bytes} in all`)
    }
    const names = Array.from({ length: bytes / length }, (_, index) => {
      const from = list.from + index * length
      return this.#text({ type: 1, from, to: from + length, next: 0 }).replace(/\0.*$/s, '')
    })
    this.#requireRoom(place, count * names.length, end)
    const items: MatFields[] = []
    let next = list.next
    for (let index = 0; index < count && names.length > 0; index++) {
      const fields = new Map<string, MatValue>()
      for (const name of names) {
        const item = this.#inner(next, end, depth)
        fields.set(name, item.value)
        next = item.next
      }
      items.push(fields)
    }
    return { kind: 'struct', items }
  }

  #inner(place: number, end: number, depth: number): { value: MatValue; next: number } {
    const element = this.element(place, end)
    if (element.type !== MATRIX)
      throw this.#refuse(place, `a value is expected, not an element of type ${element.type}`)
    return this.#matrix(element, depth + 1)
  }

  /** Each value takes 8 bytes at least: a count that cannot be true is refused before anything is made for it. */
  #requireRoom(place: number, count: number, end: number): void {
    if (count * 8 > end - place)
      throw this.#refuse(place, `${count} values are claimed where ${end - place} bytes are left`)
  }

  #integers(element: Element, most: number): number[] {
    const count = (element.to - element.from) / 4
    if ((element.type !== 5 && element.type !== 6) || !Number.isInteger(count) || count > most) {
      throw this.#refuse(element.from, 'whole numbers are expected')
    }
    const bytes = this.#file.read(element.from, count * 4)
    const view = new DataView(bytes.buffer, bytes.byteOffset)
    return Array.from({ length: count }, (_, index) => view.getInt32(index * 4, true))
  }

  #text(element: Element): string {
    const encoding = TEXT_ENCODINGS[element.type]
    const length = element.to - element.from
    if (encoding === undefined || length > MAX_TEXT_BYTES) {
      throw this.#refuse(element.from, `text is expected, not ${length} bytes of type ${element.type}`)
    }
    return new TextDecoder(encoding).decode(this.#file.read(element.from, length))
  }

  #refuse(place: number, reason: string): ConvScopeError {
    return damaged(this.#file, `at byte ${place} of ${this.#where}, ${reason}`)
  }
}
