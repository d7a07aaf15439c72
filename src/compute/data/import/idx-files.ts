/** Pairs of IDX files, as MNIST and Fashion-MNIST come. */
import { gunzipSync, constants } from 'node:zlib'
import { ConvScopeError } from '../../../shared/errors.ts'
import { readIdx, type IdxArray } from '../idx.ts'
import {
  baseName,
  readHead,
  readWhole,
  type FileTree,
  type FoundDataset,
  type PixelSplit,
  type TreeFile,
} from './dataset-source.ts'
import { splitNameOf } from './split-names.ts'

const HEAD_BYTES = 4096
const FASHION = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
]

interface IdxFile {
  readonly file: TreeFile
  readonly dimensions: number
}

/** Undefined where none of the files is IDX. @throws ConvScopeError for pairs that do not fit, as `readIdx` for damaged files */
export function findIdx(tree: FileTree): FoundDataset | undefined {
  const found = tree.files.flatMap((file) => {
    const dimensions = dimensionsOf(file)
    return dimensions === undefined ? [] : [{ file, dimensions }]
  })
  if (found.length === 0) return undefined
  const images = found.filter(({ dimensions }) => dimensions !== 1)
  if (images.length === 0) {
    throw new ConvScopeError('invalid-input', `${tree.title} has labels and no pictures`, {
      remedy: 'Choose the file of pictures together with the file of labels.',
    })
  }
  const labels = found.filter(({ dimensions }) => dimensions === 1)
  const pairs = images.map((image) => ({ image, partner: partnerOf(image, images, labels) }))
  requireOneSet(pairs, labels)
  const isFashion = /fashion/i.test(`${tree.folder ?? ''} ${tree.title}`)
  return {
    format: isFashion ? 'Fashion-MNIST (IDX)' : 'IDX',
    classes: isFashion ? FASHION : undefined,
    kind: 'pixels',
    uses: found.map(({ file }) => file),
    splits: pairs.map(({ image, partner }) => splitOf(image.file, partner)),
  }
}

/** @throws ConvScopeError 'invalid-input' for two files of one split, and for labels of which it is not clear whose they are */
function requireOneSet(
  pairs: readonly { readonly image: IdxFile; readonly partner: TreeFile | undefined }[],
  labels: readonly IdxFile[],
): void {
  const refuse = (reason: string): ConvScopeError =>
    new ConvScopeError('invalid-input', reason, {
      remedy: 'Import one data set at a time, with its files of pictures and labels under their original names.',
    })
  const bySplit = new Map<string, string>()
  for (const { image } of pairs) {
    const name = splitName(image.file.path)
    const other = bySplit.get(name)
    if (other !== undefined) throw refuse(`${other} and ${image.file.path} both hold the pictures of the split ${name}`)
    bySplit.set(name, image.file.path)
  }
  const lonely = labels.find(({ file }) => !pairs.some(({ partner }) => partner === file))
  if (lonely) throw refuse(`It is not clear to which pictures the labels ${lonely.file.path} belong`)
}

function splitName(path: string): string {
  return splitNameOf(stemOf(path)) ?? 'all'
}

/** By the two zero bytes and the type; by its name for one that is damaged there. */
function dimensionsOf(file: TreeFile): number | undefined {
  const isNamed = /(\.idx|-idx\d(-|\.)?\w*|\.idx\d?-\w+)(\.gz)?$/i.test(baseName(file.path))
  const head = headOf(file)
  const isIdx = head.length >= 4 && head[0] === 0 && head[1] === 0 && (head[2] ?? 0) >= 8 && (head[2] ?? 0) <= 14
  const dimensions = head[3] ?? 0
  if (isIdx && dimensions > 0 && dimensions <= 8 && (isNamed || fits(file, head))) return dimensions
  if (!isNamed) return undefined
  return /label|idx1/i.test(baseName(file.path)) ? 1 : 3
}

/** Whether the sizes in its header make up the file: four other bytes may look like IDX by chance. */
function fits(file: TreeFile, head: Uint8Array): boolean {
  if (head.length < 4 + 4 * (head[3] ?? 0)) return false
  if (file.path.toLowerCase().endsWith('.gz')) return true
  const view = new DataView(head.buffer, head.byteOffset)
  let count = 1
  for (let index = 0; index < (head[3] ?? 0); index++) count *= view.getUint32(4 + 4 * index)
  return [1, 2, 4, 8].some((bytes) => file.size === 4 + 4 * (head[3] ?? 0) + bytes * count)
}

function headOf(file: TreeFile): Uint8Array {
  const head = readHead(file, HEAD_BYTES)
  if (head[0] !== 0x1f || head[1] !== 0x8b) return head
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 16 * 2 ** 20 })
  } catch {
    return new Uint8Array()
  }
}

/** The labels of the same beginning (`train-`, `t10k-`); where there is one file of each, those two. */
function partnerOf(image: IdxFile, images: readonly IdxFile[], labels: readonly IdxFile[]): TreeFile | undefined {
  const same = labels.filter(({ file }) => stemOf(file.path) === stemOf(image.file.path))
  if (same.length === 1) return same[0]?.file
  return images.length === 1 && labels.length === 1 ? labels[0]?.file : undefined
}

/** `train-images-idx3-ubyte.gz` → `train`. */
function stemOf(path: string): string {
  return baseName(path)
    .toLowerCase()
    .replace(/\.gz$/, '')
    .replace(/[-_.]?(images?|labels?|targets?|idx\d?|ubyte)/g, '')
    .replace(/[-_.]+$/, '')
}

function splitOf(images: TreeFile, labels: TreeFile | undefined): PixelSplit {
  const name = splitName(images.path)
  // Read when its size is asked for, and kept: a pair is at most as large as an artifact.
  let pictures: { shape: [number, number, number]; values: Uint8Array; count: number } | undefined
  const read = () => (pictures ??= picturesOf(readIdx(readWhole(images), { name: images.path }), images.path))
  return {
    name,
    get shape() {
      return read().shape
    },
    *batches() {
      const { values, count } = read()
      const given = labels && labelsOf(readIdx(readWhole(labels), { name: labels.path }), labels.path)
      if (given && given.length !== count) {
        throw new ConvScopeError(
          'damaged',
          `${images.path} has ${count} pictures and ${labels.path} ${given.length} labels`,
          { remedy: 'Choose two files that belong together.' },
        )
      }
      yield { images: values, labels: given }
    },
  }
}

function picturesOf(
  { shape, values }: IdxArray,
  name: string,
): {
  shape: [number, number, number]
  values: Uint8Array
  count: number
} {
  const [count = 0, height = 0, width = 0, channels = 1] = shape
  const isPictures = (shape.length === 3 || shape.length === 4) && [height, width, channels].every((size) => size > 0)
  if (!(values instanceof Uint8Array) || !isPictures || (channels !== 1 && channels !== 3)) {
    const kind = values instanceof Uint8Array ? 'bytes' : 'other numbers than bytes'
    throw new ConvScopeError('unsupported', `${name} holds no pictures, but ${shape.join(' × ')} ${kind}`, {
      remedy: 'Choose a file of bytes: pictures × height × width, with 1 or 3 channels.',
    })
  }
  return { shape: [height, width, channels], values, count }
}

function labelsOf({ shape, values }: IdxArray, name: string): Int32Array {
  if (shape.length === 1 && (values instanceof Uint8Array || values instanceof Int32Array)) {
    return Int32Array.from(values)
  }
  throw new ConvScopeError('unsupported', `${name} holds no labels, but ${shape.join(' × ')} numbers`, {
    remedy: 'Choose a file with one whole number for each picture.',
  })
}
