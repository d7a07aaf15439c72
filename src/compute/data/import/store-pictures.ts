/**
 * Encoded pictures: small ones of one size become an array of pixels, others stay files, either packed into one or where they are.
 * A first pass reads the headers, a second one decodes everything, so that no broken picture gets into a data set unnoticed.
 */
import { createHash } from 'node:crypto'
import { ConvScopeError } from '../../../shared/errors.ts'
import { encodeNpyHeader } from '../../../shared/npy.ts'
import {
  decodePicture,
  MAXIMUM_FILE_BYTES,
  pictureHeader,
  type BytePicture,
  type PictureHeader,
} from '../decode-picture.ts'
import { encodePictureIndex, type PictureIndex } from '../picture-index.ts'
import { quickHeader } from '../quick-header.ts'
import { readHead, readWhole, type FoundDataset, type PictureSplit, type TreeFile } from './dataset-source.ts'
import { outputNames, Refusals, type ImportContext, type StoredDataset, type StoredSplit } from './dataset-output.ts'
import { PiecewiseFile } from './piecewise-file.ts'
import { finishing, PIXEL_HEADER_BYTES, storeLabels } from './store-pixels.ts'

/** Pictures of one size are kept as pixels up to so many bytes. */
const PIXEL_LIMIT_BYTES = 10 ** 9
const HEAD_BYTES = 65_536
/** Files read and decoded at the same time. */
const AT_ONCE = 16

interface Known {
  readonly file: TreeFile
  readonly label: number
  readonly header: PictureHeader
}
type KnownSplit = { readonly name: string; readonly pictures: readonly Known[] }
type Channels = 1 | 3

/**
 * @param inPlace keeps references to the files instead of copies
 * @throws ConvScopeError where no picture can be read; 'cancelled'
 */
export async function storePictures(
  found: Extract<FoundDataset, { kind: 'pictures' }>,
  { inPlace }: { inPlace: boolean },
  context: ImportContext,
): Promise<StoredDataset> {
  const refused = new Refusals()
  for (const file of found.refused) refused.add(file)
  const total = found.splits.reduce((sum, { pictures }) => sum + pictures.length, 0)
  let done = 0
  const tick = (): void => context.progress(Math.floor(++done / 2), total, 'pictures')
  const splits: KnownSplit[] = []
  for (const split of found.splits) splits.push(await readHeaders(split, refused, tick))
  const all = splits.flatMap(({ pictures }) => pictures.map(({ header }) => header))
  const [first] = all
  if (!first) throw nothingLeft(total, refused)
  const channels: Channels = all.some((header) => header.channels === 3) ? 3 : 1
  const isUniform = all.every(({ height, width }) => height === first.height && width === first.width)
  const isSmall = all.length * first.height * first.width * channels <= PIXEL_LIMIT_BYTES
  const isPixels = isUniform && isSmall && !inPlace
  const stored: StoredSplit[] = []
  let largestLabel = -1
  for (const [place, split] of splits.entries()) {
    const task = { split, place, channels, refused, context, tick }
    const { labels, entry } = await (isPixels ? storeAsPixels(task) : storeAsFiles({ ...task, inPlace }))
    for (const label of labels) largestLabel = Math.max(largestLabel, label)
    stored.push(entry)
  }
  if (stored.every(({ count }) => count === 0)) throw nothingLeft(total, refused)
  const shape: StoredDataset['shape'] = isUniform ? [first.height, first.width, channels] : null
  return { format: isPixels ? 'pixels' : 'pictures', shape, splits: stored, largestLabel, refused }
}

async function readHeaders(split: PictureSplit, refused: Refusals, tick: () => void): Promise<KnownSplit> {
  const pictures: Known[] = []
  const read = async ({ file, label }: PictureSplit['pictures'][number]): Promise<Known> => {
    if (file.size > MAXIMUM_FILE_BYTES) {
      throw new ConvScopeError('too-large', `It has ${file.size} bytes; ${MAXIMUM_FILE_BYTES} can be read`)
    }
    return { file, label, header: await headerOf(file) }
  }
  for await (const [{ file }, known] of several(split.pictures, read)) {
    tick()
    if (known.ok) pictures.push(known.value)
    else refuse(refused, file, known.error)
  }
  return { name: split.name, pictures }
}

/** The first bytes nearly always tell; otherwise the whole file is asked. */
async function headerOf(file: TreeFile): Promise<PictureHeader> {
  return quickHeader(readHead(file, HEAD_BYTES)) ?? (await pictureHeader(readWhole(file), file.path))
}

interface Task {
  readonly split: KnownSplit
  /** Among the splits. */
  readonly place: number
  readonly channels: Channels
  readonly refused: Refusals
  readonly context: ImportContext
  readonly tick: () => void
}
interface StoredPictures {
  readonly entry: StoredSplit
  readonly labels: readonly number[]
}

/** The pictures of a split that can be decoded, in order. */
async function* decoded({
  split,
  channels,
  refused,
  tick,
}: Task): AsyncGenerator<{ known: Known; bytes: Uint8Array; picture: BytePicture }, void, void> {
  const read = async ({ file }: Known): Promise<{ bytes: Uint8Array; picture: BytePicture }> => {
    const bytes = readWhole(file)
    return { bytes, picture: await decodePicture(bytes, { name: file.path, channels }) }
  }
  for await (const [known, result] of several(split.pictures, read)) {
    tick()
    if (result.ok) yield { known, ...result.value }
    else refuse(refused, known.file, result.error)
  }
}

async function storeAsPixels(task: Task): Promise<StoredPictures> {
  const { split, place, channels, context } = task
  const names = outputNames(place)
  const labels: number[] = []
  const [height, width] = sizeOf(split)
  await context.outputFile({ name: names.images, kind: 'array' }, async (path) => {
    const file = await PiecewiseFile.create(path, PIXEL_HEADER_BYTES)
    return finishing(file, async () => {
      for await (const { known, picture } of decoded(task)) {
        labels.push(known.label)
        await file.append(picture.data)
      }
      return encodeNpyHeader([labels.length, height, width, channels], '|u1')
    })
  })
  await storeLabels(names.labels, Int32Array.from(labels), context)
  return { entry: { name: split.name, count: labels.length, images: names.images, labels: names.labels }, labels }
}

/** A list of the files, and without `inPlace` their bytes one after the other. */
async function storeAsFiles(task: Task & { readonly inPlace: boolean }): Promise<StoredPictures> {
  const { split, place, channels, context, inPlace } = task
  const names = outputNames(place)
  const columns = { paths: [], bytes: [], sha256: [], heights: [], widths: [], labels: [] }
  const index: PictureIndex = { format: 'convscope-pictures', version: 1, channels, ...columns }
  const offsets: number[] = []
  const collect = async (keep: (bytes: Uint8Array) => Promise<number>): Promise<void> => {
    for await (const { known, bytes, picture } of decoded(task)) {
      index.paths.push(known.file.path)
      index.bytes.push(bytes.length)
      index.sha256.push(createHash('sha256').update(bytes).digest('hex'))
      index.heights.push(picture.shape[0])
      index.widths.push(picture.shape[1])
      index.labels.push(known.label)
      offsets.push(await keep(bytes))
    }
  }
  if (inPlace) await collect(() => Promise.resolve(0))
  else {
    await context.outputFile({ name: names.packed, kind: 'bytes' }, async (path) => {
      const file = await PiecewiseFile.create(path)
      return finishing(file, async () => {
        await collect(async (bytes) => {
          const offset = file.length
          await file.append(bytes)
          return offset
        })
        return new Uint8Array()
      })
    })
  }
  await context.outputFile({ name: names.images, kind: 'json' }, async (path) => {
    const file = await PiecewiseFile.create(path)
    return finishing(file, async () => {
      await file.append(encodePictureIndex(inPlace ? index : { ...index, offsets }))
      return new Uint8Array()
    })
  })
  const packed = inPlace ? {} : { packed: names.packed }
  return {
    entry: { name: split.name, count: index.paths.length, images: names.images, ...packed },
    labels: index.labels,
  }
}

function sizeOf({ pictures }: KnownSplit): [height: number, width: number] {
  const header = pictures[0]?.header
  return [header?.height ?? 1, header?.width ?? 1]
}

type Outcome<R> = { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: unknown }

/** Works on some at the same time, and gives what came of them in their order. */
async function* several<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): AsyncGenerator<readonly [T, Outcome<R>], void, void> {
  const running: Promise<readonly [T, Outcome<R>]>[] = []
  const start = (item: T): void => {
    running.push(
      work(item).then(
        (value) => [item, { ok: true, value }] as const,
        (error: unknown) => [item, { ok: false, error }] as const,
      ),
    )
  }
  let next = 0
  for (; next < Math.min(AT_ONCE, items.length); next++) start(items[next] as T)
  for (let oldest = running.shift(); oldest; oldest = running.shift()) {
    const outcome = await oldest
    if (next < items.length) start(items[next++] as T)
    yield outcome
  }
}

/** @throws the error itself where it is not about the one file */
function refuse(refused: Refusals, file: TreeFile, error: unknown): void {
  if (!(error instanceof ConvScopeError)) throw error
  const reason = error.message.replace(`${file.path} cannot be read: `, '')
  refused.add({ name: file.path, reason })
}

function nothingLeft(total: number, refused: Refusals): ConvScopeError {
  const [first] = refused.listed
  const reason = first ? `${first.name} cannot be read: ${first.reason}` : 'there is none'
  return new ConvScopeError(
    'damaged',
    total === 1 ? reason : `None of the ${total} pictures can be read, the first of them: ${reason}`,
    { remedy: 'Choose PNG, JPEG, WebP, TIFF or GIF files.' },
  )
}
