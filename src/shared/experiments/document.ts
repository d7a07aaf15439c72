/** An experiment is a document: a JSON value `{ kind, version, params, seed }`, and an upgrade from every earlier version. */
import * as z from 'zod'
import { LibraryName, Seed, Sha256 } from '../values.ts'
import type { Mention } from './mentions.ts'

/** The schema of one kind's documents. */
export function documentSchema<K extends string, P extends z.ZodType>(kind: K, version: number, params: P) {
  return z.strictObject({
    kind: z.literal(kind),
    version: z.literal(version),
    params,
    seed: Seed.default(0),
  })
}

/** One picture of a data set of the library, or a picture file in the artifact store. */
export const PictureReference = z.union([
  z.strictObject({ dataset: LibraryName, split: LibraryName, index: z.number().int().nonnegative() }),
  z.strictObject({ artifact: Sha256 }),
])
export type PictureReference = z.infer<typeof PictureReference>

/** From iteration `step` on, the setting at `path` has another value. */
export interface RunChange {
  readonly step: number
  readonly path: string
  readonly value: number
}

/** What an experiment of this kind is made of. `Params` and `Result` are zod schemas. */
export interface ExperimentKind<K extends string, P extends z.ZodType, R extends z.ZodType> {
  readonly kind: K
  readonly version: number
  readonly title: string
  /** One line for lists and help. */
  readonly summary: string
  readonly params: P
  readonly result: R
  readonly document: ReturnType<typeof documentSchema<K, P>>
  /** What it is about in one line, for lists: a run's first title. */
  readonly describe: (params: z.infer<P>) => string
  /** What of the library and the project the parameters name: it must be there before a run is made, which records its hashes. */
  readonly mentions: (params: z.infer<P>) => Mention[]
  /** The parameters with a change that took effect while it ran; absent for kinds whose settings cannot change then. */
  readonly withChange?: (params: z.infer<P>, change: RunChange) => z.infer<P>
  /** From an older version's document to this one's, one step a version; `undefined` where there is none yet. */
  readonly upgrades: Readonly<Record<number, (document: unknown) => unknown>>
}
