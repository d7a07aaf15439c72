/** Documents name networks and data sets; what is stored about them adds their hashes. */
import * as z from 'zod'
import { ConvScopeError } from '../../shared/errors.ts'
import { experimentKinds, type ExperimentDocument } from '../../shared/experiments/index.ts'
import type { Mention } from '../../shared/experiments/mentions.ts'
import { Sha256 } from '../../shared/values.ts'
import type { Datasets } from './datasets.ts'
import type { Networks } from './networks.ts'

/** Library name → SHA-256. */
export const LibraryHashes = z.object({
  networks: z.record(z.string(), Sha256),
  datasets: z.record(z.string(), Sha256),
})
export type LibraryHashes = z.infer<typeof LibraryHashes>

export interface DocumentReferences {
  readonly networks: string[]
  readonly datasets: string[]
  readonly artifacts: string[]
}

/** Everything of the library and the project that a document names. */
export function mentionsOf(document: ExperimentDocument): readonly Mention[] {
  // TypeScript does not follow that a document's kind and its parameters belong together.
  const { mentions } = experimentKinds[document.kind] as { mentions: (params: unknown) => Mention[] }
  return mentions(document.params)
}

/** Every library name and artifact that a document mentions, each once. */
export function referencesOf(document: ExperimentDocument): DocumentReferences {
  const names = { networks: new Set<string>(), datasets: new Set<string>(), artifacts: new Set<string>() }
  for (const mention of mentionsOf(document)) {
    if (mention.thing === 'network') names.networks.add(mention.name)
    if (mention.thing === 'dataset') names.datasets.add(mention.name)
    if (mention.thing === 'artifact') names.artifacts.add(mention.sha256)
  }
  return { networks: [...names.networks], datasets: [...names.datasets], artifacts: [...names.artifacts] }
}

/** @throws ConvScopeError 'not-found' for a name that the library lacks */
export function libraryHashes(
  document: ExperimentDocument,
  library: { readonly networks: Networks; readonly datasets: Datasets },
): LibraryHashes {
  const { networks, datasets } = referencesOf(document)
  return {
    networks: Object.fromEntries(networks.map((name) => [name, library.networks.get(name).hash])),
    datasets: Object.fromEntries(datasets.map((name) => [name, library.datasets.get(name).hash])),
  }
}

/** @throws ConvScopeError 'conflict' that names what is no longer what the run was asked for with */
export function assertSameLibrary(asked: LibraryHashes, now: LibraryHashes): void {
  for (const [what, before, after] of [
    ['network', asked.networks, now.networks],
    ['data set', asked.datasets, now.datasets],
  ] as const) {
    for (const [name, hash] of Object.entries(before)) {
      if (after[name] === hash) continue
      throw new ConvScopeError('conflict', `The ${what} "${name}" is not the one this run was asked for with`, {
        remedy: 'Start a new run from its document.',
        details: `then ${hash}, now ${after[name] ?? 'missing'}`,
      })
    }
  }
}
