/** What documents name: networks with their layers and units, data sets with their pictures, artifacts. */
import type { PictureReference } from './document.ts'

/** What an artifact that a document names holds. */
export type ArtifactContents = 'picture' | 'weights' | 'training'

/** `field` says where in the parameters, such as `targets.0.layer`. */
export type Mention =
  | { readonly thing: 'architecture'; readonly field: string; readonly name: string }
  | { readonly thing: 'network'; readonly field: string; readonly name: string }
  | { readonly thing: 'layer'; readonly field: string; readonly network: string; readonly name: string }
  | {
      readonly thing: 'unit'
      readonly field: string
      readonly network: string
      readonly layer: string
      readonly channel: number
      /** `[row, column]`. */
      readonly position?: readonly [number, number]
    }
  | { readonly thing: 'dataset'; readonly field: string; readonly name: string }
  | { readonly thing: 'split'; readonly field: string; readonly dataset: string; readonly name: string }
  | {
      readonly thing: 'picture'
      readonly field: string
      readonly dataset: string
      readonly split: string
      readonly index: number
    }
  | { readonly thing: 'artifact'; readonly field: string; readonly sha256: string; readonly holds: ArtifactContents }

export function networkMention(field: string, name: string): Mention {
  return { thing: 'network', field, name }
}

/** One for each layer of a list. */
export function layerMentions(field: string, network: string, names: readonly string[] = []): Mention[] {
  return names.map((name, index) => ({ thing: 'layer', field: `${field}.${index}`, network, name }))
}

/** A data set and one of its splits. */
export function splitMentions(
  dataset: { readonly field: string; readonly name: string },
  split: { readonly field: string; readonly name: string },
): Mention[] {
  return [
    { thing: 'dataset', ...dataset },
    { thing: 'split', ...split, dataset: dataset.name },
  ]
}

/** A picture of a data set with all that leads to it, or the artifact of a picture's file. */
export function pictureMentions(field: string, picture: PictureReference): Mention[] {
  if ('artifact' in picture)
    return [{ thing: 'artifact', field: `${field}.artifact`, sha256: picture.artifact, holds: 'picture' }]
  const { dataset, split, index } = picture
  return [
    ...splitMentions({ field: `${field}.dataset`, name: dataset }, { field: `${field}.split`, name: split }),
    { thing: 'picture', field: `${field}.index`, dataset, split, index },
  ]
}

/** Mentions of parameters that lie within others. */
export function mentionsWithin(field: string, mentions: readonly Mention[]): Mention[] {
  return mentions.map((mention) => ({ ...mention, field: `${field}.${mention.field}` }))
}
