/** Small schemas used by several others. */
import * as z from 'zod'

export const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal')
export type Sha256 = z.infer<typeof Sha256>

/** A name in the library (network or data set) or of a layer: what may appear in a URL and in a file name. */
export const LibraryName = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,63}$/i,
    'letters, digits, dot, underscore or dash; 64 at most; starts with a letter or digit',
  )
export type LibraryName = z.infer<typeof LibraryName>

/** Milliseconds since the epoch (UTC). */
export const Timestamp = z.number().int().nonnegative()

/** A 32-bit seed of the counter-based generator. */
export const Seed = z.number().int().min(0).max(0xffff_ffff)

export const Bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array, 'bytes')

/** `[height, width]`. */
export const Pair = z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()])
export type Pair = z.infer<typeof Pair>

/** JSON as it is stored in documents and results. */
export const Json = z.json()
export type Json = z.infer<typeof Json>
