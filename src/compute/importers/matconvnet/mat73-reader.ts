/** MAT-files of version 7.3: HDF5 with MATLAB's classes as attributes, cells and struct arrays as references, sizes in reverse. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import { Hdf5File } from '../../files/hdf5.ts'
import type { SourceFile } from '../../files/source-file.ts'
import type { StoredValues } from '../assembly/stored-values.ts'
import type { MatFields, MatValue } from './mat-value.ts'

const MAX_DEPTH = 24
const MAX_VALUES = 200_000
const MAX_TEXT = 65_536
/** Where MATLAB keeps what references lead to. */
const OWN_GROUPS = new Set(['#refs#', '#subsystem#'])

/**
 * All variables of a file by name; numbers are read when they are asked for.
 * @throws ConvScopeError 'damaged', 'unsupported' or 'too-large' that names the file and the place in it
 */
export async function readMat73(source: SourceFile): Promise<MatFields> {
  const file = await Hdf5File.open(source)
  try {
    const reader = new Mat73Reader(source, file)
    const names = file.keys('/').filter((name) => !OWN_GROUPS.has(name))
    return new Map(names.map((name) => [name, reader.value(`/${name}`, 0)]))
  } finally {
    file.close()
  }
}

class Mat73Reader {
  readonly #source: SourceFile
  readonly #file: Hdf5File
  #values = 0

  constructor(source: SourceFile, file: Hdf5File) {
    this.#source = source
    this.#file = file
  }

  value(path: string, depth: number): MatValue {
    if (depth > MAX_DEPTH || ++this.#values > MAX_VALUES) {
      throw new ConvScopeError(
        'damaged',
        `${this.#source.name} cannot be read: its values are nested without end at ${path}.`,
        {
          remedy: 'Copy or download the file again.',
        },
      )
    }
    const file = this.#file
    const kind = file.text(path, 'MATLAB_class')
    if (file.kind(path) === 'group') return { kind: 'struct', items: this.#structs(path, depth) }
    if (kind === 'cell') {
      return { kind: 'cell', items: file.references(path).map((target) => this.value(target, depth + 1)) }
    }
    const dims = [...file.shape(path)].reverse()
    const count = sizeOf(dims)
    if (kind === 'char') {
      if (count > MAX_TEXT) return { kind: 'other', title: 'a long text' }
      return { kind: 'text', text: String.fromCharCode(...file.numbers(path)) }
    }
    if (kind === 'function_handle' || kind === undefined)
      return { kind: 'other', title: kind ?? 'a value without a class' }
    return { kind: 'numbers', dims, values: numbersAt(this.#source, path, count) }
  }

  /** One struct whose fields are values, or an array of them whose fields are lists of references. */
  #structs(path: string, depth: number): MatFields[] {
    const names = this.#file.keys(path)
    const fields = names.map((name) => [name, `${path}/${name}`] as const)
    const isArray =
      fields.length > 0 &&
      fields.every(
        ([, place]) => this.#file.kind(place) === 'dataset' && this.#file.text(place, 'MATLAB_class') === undefined,
      )
    if (!isArray) return [new Map(fields.map(([name, place]) => [name, this.value(place, depth + 1)]))]
    const columns = fields.map(([name, place]) => [name, this.#file.references(place)] as const)
    const [, first] = columns[0] ?? ['', []]
    return first.map(
      (_, index) => new Map(columns.map(([name, targets]) => [name, this.value(targets[index] ?? path, depth + 1)])),
    )
  }
}

/** The library opens the file for each tensor; what it read stays at hand while a layout is changed, and no longer. */
function numbersAt(source: SourceFile, path: string, count: number): StoredValues {
  let kept: WeakRef<Float32Array> | undefined
  return {
    count,
    read: (from, length) => {
      let values = kept?.deref()
      if (values === undefined) {
        values = Hdf5File.use(source, (file) => file.floats(path))
        kept = new WeakRef(values)
      }
      return values.subarray(from, from + length)
    },
  }
}
