/** The binary version of CIFAR: records of one label (CIFAR-100: two) and 3072 bytes. */
import { ConvScopeError } from '../../../shared/errors.ts'
import {
  baseName,
  readWhole,
  type FileTree,
  type FoundDataset,
  type PixelBatch,
  type TreeFile,
} from './dataset-source.ts'
import { CIFAR_10_CLASSES, CIFAR_PICTURE_BYTES, CIFAR_SHAPE, cifarSplitOf, fromPlanes, inOrder } from './cifar.ts'

interface Variant {
  readonly title: string
  /** Before each picture; the last of them is the class. */
  readonly labelBytes: 1 | 2
  readonly classes: number
  /** A class name a line. */
  readonly namesFile: string
  readonly names: readonly string[] | undefined
}

const VARIANTS: readonly Variant[] = [
  { title: 'CIFAR-10', labelBytes: 1, classes: 10, namesFile: 'batches.meta.txt', names: CIFAR_10_CLASSES },
  { title: 'CIFAR-100', labelBytes: 2, classes: 100, namesFile: 'fine_label_names.txt', names: undefined },
]

/** Undefined where there are no such files. @throws ConvScopeError 'damaged' for a size that is no number of records */
export function findCifarBinary(tree: FileTree): FoundDataset | undefined {
  const files = tree.files.filter(({ path }) => /\.bin$/i.test(path))
  const [first] = files
  if (!first) return undefined
  const fits = ({ labelBytes }: Variant): boolean =>
    files.every(({ size }) => size > 0 && size % (labelBytes + CIFAR_PICTURE_BYTES) === 0)
  // CIFAR-100 comes as one file of each split; where sizes fit both, its names decide.
  const looksLikeHundred = files.every(({ path }) => /^(train|test)\.bin$/i.test(baseName(path)))
  const variants = looksLikeHundred ? [...VARIANTS].reverse() : VARIANTS
  const variant = variants.find(fits)
  if (!variant) {
    const wrong = files.find(({ size }) => size === 0 || size % 3073 !== 0) ?? first
    throw new ConvScopeError(
      'damaged',
      `${wrong.path} has ${wrong.size} bytes, which is no whole number of CIFAR-10 records (3073) or CIFAR-100 records (3074)`,
      { remedy: 'Copy or download the file again.' },
    )
  }
  const splits = ['train', 'test'].flatMap((name) => {
    const mine = inOrder(files.filter(({ path }) => (cifarSplitOf(baseName(path)) ?? 'train') === name))
    const batches = function* (): Generator<PixelBatch> {
      for (const file of mine) yield readRecords(file, variant)
    }
    return mine.length === 0 ? [] : [{ name, shape: CIFAR_SHAPE, batches }]
  })
  const names = tree.files.find(({ path, size }) => baseName(path) === variant.namesFile && size < 10_000)
  const uses = names === undefined ? files : [...files, names]
  return {
    kind: 'pixels',
    format: `${variant.title} (binary)`,
    classes: (names && namesIn(names, variant)) ?? variant.names,
    uses,
    splits,
  }
}

function readRecords(file: TreeFile, { labelBytes, classes }: Variant): PixelBatch {
  const bytes = readWhole(file)
  const step = labelBytes + CIFAR_PICTURE_BYTES
  const count = Math.floor(bytes.length / step)
  const labels = Int32Array.from({ length: count }, (_, index) => bytes[index * step + labelBytes - 1] ?? 0)
  const wrong = labels.findIndex((label) => label >= classes)
  if (wrong >= 0) {
    throw new ConvScopeError(
      'damaged',
      `${file.path} has the label ${labels[wrong]} at picture ${wrong} (byte ${wrong * step}); there are ${classes} classes`,
      { remedy: 'Copy or download the file again.' },
    )
  }
  return { images: fromPlanes(bytes, count, labelBytes, step), labels }
}

/** Undefined where there are not as many as classes. */
function namesIn(file: TreeFile, { classes }: Variant): readonly string[] | undefined {
  const listed = new TextDecoder()
    .decode(readWhole(file))
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
  return listed.length === classes ? listed : undefined
}
