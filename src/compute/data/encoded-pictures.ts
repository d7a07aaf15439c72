/** Pictures in encoded files, decoded when they are asked for: packed into one artifact, or where the user keeps them. */
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatasetRecord, DatasetSplit } from '../../shared/datasets.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { DatasetFiles } from './dataset-split.ts'
import { decodePicture, MAXIMUM_FILE_BYTES, type BytePicture } from './decode-picture.ts'
import { parsePictureIndex } from './picture-index.ts'

export interface EncodedPictures {
  readonly count: number
  readonly labels: Int32Array
  /** Bytes of the lists in memory, about. */
  readonly residentBytes: number
  /** @param fit as in `decodePicture` */
  picture(index: number, fit?: number): Promise<BytePicture>
}

/** Characters of a path and a hash, and the numbers of one picture. */
const LISTED_BYTES_EACH = 400

/** @throws ConvScopeError 'damaged' for a malformed index, 'not-found' for a missing artifact */
export async function openEncodedPictures(
  record: DatasetRecord,
  split: DatasetSplit,
  { read, find }: DatasetFiles,
): Promise<EncodedPictures> {
  const title = `The list of pictures of ${record.name} (${split.name})`
  const index = parsePictureIndex(await read(split.images), title)
  const packed = split.packed === undefined ? undefined : await find(split.packed)
  const { location } = record
  if (packed !== undefined ? !index.offsets : location === undefined) {
    throw new ConvScopeError('damaged', `${title} does not tell where the pictures are`, {
      remedy: 'Import the data set again.',
    })
  }
  return {
    count: index.paths.length,
    labels: Int32Array.from(index.labels),
    residentBytes: index.paths.length * LISTED_BYTES_EACH,
    picture: async (at, fit) => {
      const path = index.paths[at] ?? ''
      const bytes = index.bytes[at] ?? 0
      const file = packed ?? join(location ?? '', ...path.split('/'))
      const name = packed === undefined ? file : `The picture ${path} of ${record.name}`
      const content = await readPart(file, packed === undefined ? 0 : (index.offsets?.[at] ?? 0), bytes, name)
      if (createHash('sha256').update(content).digest('hex') !== index.sha256[at]) throw changed(name, record)
      return decodePicture(content, { name, channels: index.channels, fit })
    },
  }
}

/** Exactly `length` bytes; of a plain file only, as a folder that somebody else made may hold pipes. */
async function readPart(file: string, offset: number, length: number, name: string): Promise<Uint8Array> {
  if (length > MAXIMUM_FILE_BYTES) {
    throw new ConvScopeError('too-large', `${name} has ${length} bytes; ${MAXIMUM_FILE_BYTES} can be read`)
  }
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(
    (error: NodeJS.ErrnoException) => {
      const isGone = error.code === 'ENOENT' || error.code === 'ENOTDIR'
      const reason = isGone ? `${name} is no longer there` : `${name} cannot be read: ${error.message}`
      throw new ConvScopeError(isGone ? 'not-found' : 'disk', reason, {
        remedy: 'Put the file back, or import the data set again.',
        cause: error,
      })
    },
  )
  try {
    const bytes = new Uint8Array(length)
    const { bytesRead } = (await handle.stat()).isFile()
      ? await handle.read(bytes, 0, length, offset)
      : { bytesRead: -1 }
    if (bytesRead === length) return bytes
    throw new ConvScopeError('damaged', `${name} ends early`, {
      remedy: 'Put the original file back, or import the data set again.',
    })
  } finally {
    await handle.close()
  }
}

function changed(name: string, { name: dataset }: DatasetRecord): ConvScopeError {
  return new ConvScopeError('damaged', `${name} is not the file that the data set ${dataset} was made from`, {
    remedy: 'Put the original file back, or import the data set again.',
  })
}
