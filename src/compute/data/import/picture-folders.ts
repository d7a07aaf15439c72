/** Folders of pictures: one folder a class, perhaps below `train` and `test`, or all pictures side by side without labels. */
import { NO_LABEL } from '../../../shared/datasets.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import { baseName, type FileTree, type FoundDataset, type TreeFile } from './dataset-source.ts'
import type { LabelTable } from './label-files.ts'
import { splitNameOf } from './split-names.ts'

const PICTURE = /\.(jpe?g|png|webp|tiff?|gif)$/i
/** Pictures of kinds that are not read are told, other files are not looked for. */
const UNREADABLE = /\.(bmp|heic|heif|avif|jp2|j2k|psd|svg|raw|cr2|nef|dng|ppm|pgm)$/i

export interface GivenLabels {
  /** Take the place of the folders' names. */
  readonly labels?: LabelTable | undefined
  /** The classes in their order; every folder is one of them. */
  readonly classes?: readonly string[] | undefined
}

/** A picture with the parts of its path below what all have in common and below its split. */
interface Place {
  readonly file: TreeFile
  readonly parts: readonly string[]
}

/**
 * Undefined where there are no pictures. Splits, classes and pictures are in the order of their names.
 * @throws ConvScopeError 'invalid-input' for labels that do not fit the pictures, and for folders that are none of the given classes
 */
export function findPictureFolders(
  tree: FileTree,
  { labels, classes: order }: GivenLabels = {},
): FoundDataset | undefined {
  const pictures = tree.files.filter(({ path }) => PICTURE.test(path))
  if (pictures.length === 0) return undefined
  const places = withoutCommonFolders(pictures)
  const bySplit = splitsOf(places, tree.title)
  const given = labels?.(pictures.map(({ path }) => path))
  const classes = given?.classes ?? classesOf([...bySplit.values()].flat(), order)
  const indexOf = new Map(classes.map((name, index) => [name, index]))
  const splits = [...bySplit].map(([name, inside]) => ({
    name,
    pictures: inside.map(({ file, parts }) => ({
      file,
      label: given ? given.labelOf(file.path) : parts.length > 1 ? (indexOf.get(parts[0] ?? '') ?? NO_LABEL) : NO_LABEL,
    })),
  }))
  const format = classes.length > 0 ? 'Folders of pictures' : 'Pictures without labels'
  const unreadable = tree.files.filter(({ path }) => UNREADABLE.test(path))
  const refused = unreadable.map(({ path }) => ({
    name: path,
    reason: `pictures of the kind ${extensionOf(path)} are not read`,
  }))
  return { kind: 'pictures', format, classes, uses: [...pictures, ...unreadable], splits, refused }
}

/** `data/cats/1.jpg`, `data/dogs/1.jpg` → `cats/1.jpg`, `dogs/1.jpg`; a single folder of pictures is no class either. */
function withoutCommonFolders(files: readonly TreeFile[]): Place[] {
  let places: Place[] = files.map((file) => ({ file, parts: file.path.split('/') }))
  for (;;) {
    const top = places[0]?.parts[0]
    const isCommon = places.every(({ parts }) => parts.length > 1 && parts[0] === top)
    if (!isCommon || (top !== undefined && splitNameOf(top) !== undefined)) return places
    places = places.map(({ file, parts }) => ({ file, parts: parts.slice(1) }))
  }
}

/** By the folders at the top, where all of them are named like splits; otherwise one, named after what was given, or `all`. */
function splitsOf(places: readonly Place[], title: string): Map<string, Place[]> {
  const nameOf = ({ parts }: Place): string | undefined =>
    parts.length > 1 ? wholeSplitName(parts[0] ?? '') : undefined
  const splits = new Map<string, Place[]>()
  const isSplit = places.every((place) => nameOf(place) !== undefined)
  for (const place of places) {
    const name = (isSplit ? nameOf(place) : undefined) ?? wholeSplitName(title) ?? 'all'
    const inside = splits.get(name) ?? []
    inside.push(isSplit ? { file: place.file, parts: place.parts.slice(1) } : place)
    splits.set(name, inside)
  }
  const order = ['train', 'val', 'test']
  return new Map([...splits].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)))
}

/** `train`, `Test`, `validation`: only whole words, as `train` may also be a class (of vehicles) among others. */
function wholeSplitName(name: string): string | undefined {
  return /^(train|training|test|testing|val|valid|validation)$/i.test(name) ? splitNameOf(name) : undefined
}

function classesOf(places: readonly Place[], order: readonly string[] | undefined): string[] {
  const folders = [...new Set(places.flatMap(({ parts }) => (parts.length > 1 ? [parts[0] ?? ''] : [])))].sort()
  if (!order || folders.length === 0) return folders
  const unknown = folders.find((folder) => !order.includes(folder))
  if (unknown === undefined) return [...order]
  throw new ConvScopeError(
    'invalid-input',
    `The folder "${unknown}" is none of the ${order.length} classes that were given`,
    {
      remedy: 'Name the classes like the folders.',
    },
  )
}

function extensionOf(path: string): string {
  const name = baseName(path)
  return name.slice(name.lastIndexOf('.') + 1).toUpperCase()
}
