/** Recognises what an import was given: by names and contents, the special before the general. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { describeContents } from '../../files/file-kind.ts'
import { findArrays } from './arrays.ts'
import { findCifarBinary } from './cifar-binary.ts'
import { findCifarPython } from './cifar-python.ts'
import type { FileTree, FoundDataset, TreeFile } from './dataset-source.ts'
import { findIdx } from './idx-files.ts'
import { findPictureFolders, type GivenLabels } from './picture-folders.ts'

const KNOWN =
  'Choose a folder of pictures (one folder a class), MNIST files (IDX), CIFAR-10 or CIFAR-100 (binary or Python), an .npz file, ' +
  'or an archive (.zip, .tar, .tar.gz) of these.'

/** Archives that are named, and not read. */
const PACKED = /is an? (xz|7z|bzip2) archive/
const UNPACK = 'Unpack it (tar xf FILE, or 7z x FILE) and import the folder.'
const FINDERS: readonly ((tree: FileTree, given: GivenLabels) => FoundDataset | undefined)[] = [
  findPictureFolders,
  findArrays,
  findCifarPython,
  findCifarBinary,
  findIdx,
]
/** What people select together with the files of a data set. */
const NOTES = /^(readme|licen[cs]e|copying|checksums?)|\.(html?|md|pdf|md5|sha256)$/i

/**
 * @param given labels and classes of pictures, where the user brought files with them
 * @throws ConvScopeError 'unsupported' that tells what was seen instead; 'damaged' for files that are nearly right
 */
export function findDataset(tree: FileTree, given: GivenLabels = {}): FoundDataset {
  const empty = tree.files.find(({ size }) => size === 0)
  if (tree.files.length === 1 && empty) {
    throw new ConvScopeError('damaged', `${empty.path} is empty`, { remedy: 'Copy or download the file again.' })
  }
  const found = FINDERS.reduce<FoundDataset | undefined>((first, find) => first ?? find(tree, given), undefined)
  if (!found) {
    const what = seen(tree)
    throw new ConvScopeError('unsupported', `There is no data set in ${tree.title}: ${what}`, {
      remedy: PACKED.test(what) ? UNPACK : KNOWN,
    })
  }
  requireAlone(found, tree)
  return found
}

/**
 * Nothing is left out that looks like a data set of its own.
 * @throws ConvScopeError 'invalid-input' that names both
 */
function requireAlone(found: FoundDataset, tree: FileTree): void {
  const used = new Set(found.uses)
  const rest = tree.files.filter((file) => !used.has(file))
  const other = FINDERS.map((find) => quietly(() => find({ ...tree, files: rest }, {}))).find((each) => each)
  if (!other) return
  const named = ({ format, uses }: FoundDataset): string => `${format} (${uses[0]?.path ?? ''})`
  throw new ConvScopeError(
    'invalid-input',
    `There are two data sets in ${tree.title}: ${named(found)} and ${named(other)}`,
    {
      remedy: 'Import them one after the other.',
    },
  )
}

/** Files that are nearly a data set are no second one. */
function quietly<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof ConvScopeError) return undefined
    throw error
  }
}

/**
 * Of several files or folders that were given, each must be a part of the data set; notes beside it need not.
 * @param names what was given, as the tree's files are called or begin; * @throws ConvScopeError 'invalid-input' that names what would be left out
 */
export function requireAllUsed(names: readonly string[], found: FoundDataset, tree: FileTree): void {
  const belongsTo = (name: string, path: string): boolean => path === name || path.startsWith(`${name}/`)
  const unused = names.filter((name) => !NOTES.test(name) && !found.uses.some(({ path }) => belongsTo(name, path)))
  const [first] = unused
  if (first === undefined) return
  const file = tree.files.find(({ path }) => belongsTo(first, path))
  const what = file === undefined ? 'an empty folder' : `${described(file)}${file.path === first ? '' : ' and more'}`
  const others = unused.length > 1 ? `, nor are ${unused.slice(1).join(', ')}` : ''
  throw new ConvScopeError(
    'invalid-input',
    `${first} (${what}) is no part of the data set ${found.format} (${found.uses[0]?.path ?? ''}) that was given with it${others}`,
    { remedy: 'Import one data set at a time.' },
  )
}

function seen({ files }: FileTree): string {
  if (files.length === 0) return 'it is empty'
  const told = files.slice(0, 3).map((file) => `${file.path} is ${described(file)}`)
  return [...told, ...(files.length > 3 ? [`and ${files.length - 3} more files`] : [])].join('; ')
}

function described(file: TreeFile): string {
  const source = file.open()
  try {
    return describeContents(source)
  } finally {
    source.close()
  }
}
