/** The Python version of CIFAR: pickled dictionaries with `data` (planes of red, green, blue) and `labels` or `fine_labels`. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { ByteCursor } from '../../files/byte-cursor.ts'
import { readPickle, type PickleGlobal } from '../../files/pickle.ts'
import {
  baseName,
  readHead,
  type FileTree,
  type FoundDataset,
  type PixelBatch,
  type TreeFile,
} from './dataset-source.ts'
import { CIFAR_10_CLASSES, CIFAR_PICTURE_BYTES, CIFAR_SHAPE, cifarSplitOf, fromPlanes, inOrder } from './cifar.ts'

const META = /^(batches\.meta|meta)$/
const REMEDY = 'Copy or download the file again.'
/** Of one pickle: the largest of CIFAR has 154 MB. */
const MAXIMUM_BYTES = 2 ** 30

/** Undefined where there are no such files. */
export function findCifarPython(tree: FileTree): FoundDataset | undefined {
  const pickles = tree.files.filter((file) => isPickle(file, tree.files.length === 1))
  const batches = pickles.filter(({ path }) => !META.test(baseName(path)))
  const [first] = batches
  if (!first) return undefined
  const isHundred = batches.every(({ path }) => /^(train|test)$/.test(baseName(path)))
  const meta = pickles.find(({ path }) => META.test(baseName(path)))
  const splits = ['train', 'test'].flatMap((name) => {
    const mine = inOrder(batches.filter(({ path }) => (cifarSplitOf(baseName(path)) ?? 'train') === name))
    const read = function* (): Generator<PixelBatch> {
      for (const file of mine) yield readBatch(file)
    }
    return mine.length === 0 ? [] : [{ name, shape: CIFAR_SHAPE, batches: read }]
  })
  return {
    kind: 'pixels',
    format: `CIFAR-${isHundred ? 100 : 10} (Python)`,
    classes: (meta && namesIn(meta)) ?? (isHundred ? undefined : CIFAR_10_CLASSES),
    uses: pickles,
    splits,
  }
}

/** One that is given alone may be called anything. */
function isPickle(file: TreeFile, isAlone: boolean): boolean {
  const name = baseName(file.path)
  const isNamed = cifarSplitOf(name) !== undefined || META.test(name) || /\.(pkl|pickle|p)$/i.test(name)
  if ((!isNamed && !isAlone) || /\.bin$/i.test(name)) return false
  const [mark = 0, version = 0] = readHead(file, 2)
  // Protocol 2 and newer say so; older ones begin with a mark or an empty dictionary.
  const isNew = mark === 0x80 && version >= 2 && version <= 5
  return isNew || (isNamed && (mark === 0x28 || mark === 0x7d || mark === 0x63))
}

function readBatch(file: TreeFile): PixelBatch {
  const batch = readDictionary(file)
  const data = batch.get('data')
  const labels = batch.get('fine_labels') ?? batch.get('labels')
  const isPictures = data instanceof PickledArray && data.shape.length === 2 && data.shape[1] === CIFAR_PICTURE_BYTES
  if (!isPictures || !Array.isArray(labels)) {
    throw damaged(file, 'it has no data of 3072 bytes a picture, or no labels')
  }
  const count = data.shape[0] ?? 0
  if (data.bytes.length !== count * CIFAR_PICTURE_BYTES || labels.length !== count) {
    throw damaged(file, `it promises ${count} pictures and has ${data.bytes.length} bytes and ${labels.length} labels`)
  }
  const wrong = labels.findIndex((label) => !Number.isInteger(label) || Number(label) < 0 || Number(label) > 99)
  if (wrong >= 0) throw damaged(file, `its label at picture ${wrong} is ${String(labels[wrong])}`)
  return { images: fromPlanes(data.bytes, count, 0, CIFAR_PICTURE_BYTES), labels: Int32Array.from(labels, Number) }
}

function namesIn(file: TreeFile): string[] | undefined {
  const meta = readDictionary(file)
  const names = meta.get('fine_label_names') ?? meta.get('label_names')
  return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined
}

/** @throws ConvScopeError for a pickle that is damaged, hostile, or no dictionary */
function readDictionary(file: TreeFile): Map<unknown, unknown> {
  if (file.size > MAXIMUM_BYTES) {
    throw new ConvScopeError('too-large', `${file.path} has ${file.size} bytes; ${MAXIMUM_BYTES} are read`)
  }
  const source = file.open()
  try {
    const global = (module: string, name: string): PickleGlobal => allowed(file, module, name)
    const read = readPickle(new ByteCursor(source), { source: file.path, global })
    if (read instanceof Map) return new Map([...read].map(([key, value]) => [textOf(key), value]))
  } finally {
    source.close()
  }
  throw damaged(file, 'it holds no dictionary')
}

/** An array of bytes; what NumPy puts into a pickle. */
class PickledArray {
  shape: readonly number[] = []
  bytes: Uint8Array = new Uint8Array()
}

function allowed(file: TreeFile, module: string, name: string): PickleGlobal {
  switch (`${module}.${name}`) {
    case 'numpy.core.multiarray._reconstruct':
    case 'numpy._core.multiarray._reconstruct':
      return { module, name, call: () => new PickledArray(), build: (object, state) => fill(file, object, state) }
    case 'numpy.ndarray':
      return { module, name }
    case 'numpy.dtype':
      return { module, name, call: ([code]) => ({ code }) }
    // How Python 3 writes bytes for Python 2.
    case '_codecs.encode':
      return { module, name, call: ([text]) => bytesOf(text) }
    default:
      throw new ConvScopeError(
        'unsupported',
        `${file.path} is no batch of CIFAR, and possibly hostile: opening it in Python would use ${module}.${name}; nothing was executed`,
        { remedy: 'Get the data from its original place.' },
      )
  }
}

function fill(file: TreeFile, array: unknown, state: unknown): void {
  const [, shape, type, isFortran, content] = Array.isArray(state) ? (state as unknown[]) : []
  const bytes = bytesOf(content)
  const isBytes = typeof type === 'object' && type !== null && 'code' in type && type.code === 'u1'
  const isShape = Array.isArray(shape) && shape.every((extent) => Number.isInteger(extent) && Number(extent) >= 0)
  if (!(array instanceof PickledArray) || !isShape || !isBytes || isFortran === true || !bytes) {
    throw damaged(file, 'its array is no array of bytes')
  }
  array.shape = shape.map(Number)
  array.bytes = bytes
}

/** Python 2 kept bytes in texts. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  return typeof value === 'string' ? Uint8Array.from(value, (letter) => letter.charCodeAt(0)) : undefined
}

function textOf(key: unknown): unknown {
  return key instanceof Uint8Array ? new TextDecoder().decode(key) : key
}

function damaged(file: TreeFile, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${file.path} cannot be read: ${reason}`, { remedy: REMEDY })
}
