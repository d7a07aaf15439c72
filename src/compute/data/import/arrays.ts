/** NumPy arrays of pictures, as in Keras's `mnist.npz`: `x_train`, `y_train`, `x_test`, `y_test`, or `images` and `labels`. */
import { ConvScopeError } from '../../../shared/errors.ts'
import {
  baseName,
  readWhole,
  type FileTree,
  type FoundDataset,
  type PixelSplit,
  type TreeFile,
} from './dataset-source.ts'
import { readNpy, type NpyArray } from './npy-array.ts'
import { splitNameOf } from './split-names.ts'

const PICTURES = /^(x|images?|pictures?|data|samples|inputs?)$/
const LABELS = /^(y|labels?|targets?|classes)$/

/** Undefined where there are no `.npy` files. @throws ConvScopeError 'unsupported' that names the arrays that are there */
export function findArrays(tree: FileTree): FoundDataset | undefined {
  const arrays = tree.files.filter(({ path }) => /\.npy$/i.test(path))
  if (arrays.length === 0) return undefined
  const named = arrays.map((file) => ({ file, ...partsOf(file.path) }))
  const splits = named
    .filter(({ role }) => PICTURES.test(role))
    .map(({ file, split }) => {
      const labels = named.find((other) => other.split === split && LABELS.test(other.role))
      return splitOf(split, file, labels?.file)
    })
  if (splits.length === 0 || new Set(splits.map(({ name }) => name)).size !== splits.length) {
    const names = arrays.map(({ path }) => path.replace(/\.npy$/i, '')).join(', ')
    throw new ConvScopeError('unsupported', `It is not clear which arrays of ${tree.title} are pictures: ${names}`, {
      remedy: 'Name them x_train, y_train, x_test and y_test, or images and labels.',
    })
  }
  return { kind: 'pixels', format: 'NumPy arrays', classes: undefined, uses: arrays, splits }
}

/** `x_train` → role x, split train; `test_labels` → labels, test; `images` → images, all. */
function partsOf(path: string): { role: string; split: string } {
  const words = baseName(path)
    .replace(/\.npy$/i, '')
    .toLowerCase()
    .split(/[_.-]+/)
  const split = words.map(splitNameOf).find((name) => name !== undefined)
  const role = words.filter((word) => splitNameOf(word) === undefined).join('_')
  return { role, split: split ?? 'all' }
}

function splitOf(name: string, pictures: TreeFile, labels: TreeFile | undefined): PixelSplit {
  let kept: ReturnType<typeof picturesOf> | undefined
  const read = () => (kept ??= picturesOf(readNpy(readWhole(pictures), pictures.path), pictures.path))
  return {
    name,
    get shape() {
      return read().shape
    },
    *batches() {
      const { images, count } = read()
      const given = labels && labelsOf(readNpy(readWhole(labels), labels.path), labels.path)
      if (given && given.length !== count) {
        throw new ConvScopeError(
          'damaged',
          `${pictures.path} has ${count} pictures and ${labels.path} ${given.length} labels`,
          { remedy: 'Save both arrays again.' },
        )
      }
      yield { images, labels: given }
    },
  }
}

function picturesOf(
  { shape, values }: NpyArray,
  name: string,
): {
  images: Uint8Array
  shape: [number, number, number]
  count: number
} {
  const [count = 0, height = 0, width = 0, channels = 1] = shape
  const isPictures = (shape.length === 3 || shape.length === 4) && height > 0 && width > 0
  if (!(values instanceof Uint8Array) || !isPictures || (channels !== 1 && channels !== 3)) {
    const kind = values instanceof Uint8Array ? 'bytes' : 'other numbers than bytes'
    throw new ConvScopeError('unsupported', `${name} holds no pictures, but ${shape.join(' × ')} ${kind}`, {
      remedy: 'Save bytes 0…255 (uint8) of the shape pictures × height × width, with 1 or 3 channels at the end.',
    })
  }
  return { images: values, shape: [height, width, channels], count }
}

function labelsOf({ shape, values }: NpyArray, name: string): Int32Array {
  const count = shape[0] ?? 0
  // Keras's CIFAR has its labels in a column.
  const isList = shape.length === 1 || (shape.length === 2 && shape[1] === 1)
  const labels = Int32Array.from({ length: isList ? count : 0 }, (_, index) => Number(values[index]))
  const wrong = labels.findIndex((label, index) => label < 0 || label !== Number(values[index]))
  if (isList && wrong < 0) return labels
  const problem = isList ? `${String(values[wrong])} at picture ${wrong}` : `${shape.join(' × ')} numbers`
  throw new ConvScopeError('unsupported', `${name} holds no labels, but ${problem}`, {
    remedy: 'Save one whole number from 0 on for each picture.',
  })
}
