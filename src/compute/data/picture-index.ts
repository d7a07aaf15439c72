/** The list of a split's encoded picture files: an artifact of JSON, in columns. */
import { isAbsolute } from 'node:path'
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import { Sha256 } from '../../shared/values.ts'

const whole = z.number().int().nonnegative()

/** As many entries in each list as there are pictures. */
export const PictureIndex = z
  .strictObject({
    format: z.literal('convscope-pictures'),
    version: z.literal(1),
    /** All pictures are read as grey (1) or RGB (3). */
    channels: z.union([z.literal(1), z.literal(3)]),
    /** Below the data set's folder, with slashes; a picture's name in messages. */
    paths: z.array(z.string()),
    /** Bytes of each file. */
    bytes: z.array(whole),
    sha256: z.array(Sha256),
    heights: z.array(z.number().int().positive()),
    widths: z.array(z.number().int().positive()),
    /** -1: none. */
    labels: z.array(z.number().int().min(-1)),
    /** Where each file begins in the packed artifact; absent for files that stay where they are. */
    offsets: z.array(whole).optional(),
  })
  .refine(
    ({ paths, bytes, sha256, heights, widths, labels, offsets = paths }) =>
      [bytes, sha256, heights, widths, labels, offsets].every(({ length }) => length === paths.length),
    'its lists have different lengths',
  )
  .refine(({ paths }) => paths.every(staysBelow), 'a path leads out of the folder')
export type PictureIndex = z.infer<typeof PictureIndex>

/** @throws ConvScopeError 'damaged' */
export function parsePictureIndex(bytes: Uint8Array, name: string): PictureIndex {
  let problem: string
  try {
    const parsed = PictureIndex.safeParse(JSON.parse(new TextDecoder().decode(bytes)))
    if (parsed.success) return parsed.data
    problem = z.prettifyError(parsed.error)
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error)
  }
  throw new ConvScopeError('damaged', `${name} cannot be read: it is not a list of pictures`, {
    remedy: 'Import the data set again.',
    details: problem,
  })
}

export function encodePictureIndex(index: PictureIndex): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(index))
}

/** Whether a relative path stays inside its folder on every system. */
export function staysBelow(path: string): boolean {
  if (path === '' || path.includes('\0') || path.includes('\\') || isAbsolute(path) || /^[a-z]:/i.test(path))
    return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}
