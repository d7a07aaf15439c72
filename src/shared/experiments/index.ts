/** Every kind of experiment. A new kind is one file here, and one line in this list. */
import * as z from 'zod'
import { ConvScopeError } from '../errors.ts'
import { activationMaximisation } from './activation-maximisation.ts'
import { activationStatistics } from './activation-statistics.ts'
import { correspondence } from './correspondence.ts'
import { deconvnet } from './deconvnet.ts'
import { regulariserSearch } from './regulariser-search.ts'
import type { RunChange } from './document.ts'
import { featureEvolution } from './feature-evolution.ts'
import { invariance } from './invariance.ts'
import { occlusion } from './occlusion.ts'
import { topActivations } from './top-activations.ts'
import { trainClassifier } from './train-classifier.ts'

export { PictureReference } from './document.ts'

export const experimentKinds = {
  deconvnet,
  'top-activations': topActivations,
  occlusion,
  'feature-evolution': featureEvolution,
  invariance,
  correspondence,
  'activation-statistics': activationStatistics,
  'train-classifier': trainClassifier,
  'activation-maximisation': activationMaximisation,
  'regulariser-search': regulariserSearch,
} as const
export type ExperimentKindName = keyof typeof experimentKinds
export const ExperimentKindName = z.enum(Object.keys(experimentKinds) as [ExperimentKindName, ...ExperimentKindName[]])

export const ExperimentDocument = z.discriminatedUnion('kind', [
  deconvnet.document,
  topActivations.document,
  occlusion.document,
  featureEvolution.document,
  invariance.document,
  correspondence.document,
  activationStatistics.document,
  trainClassifier.document,
  activationMaximisation.document,
  regulariserSearch.document,
])
export type ExperimentDocument = z.infer<typeof ExperimentDocument>

/**
 * A document from outside, upgraded to its kind's present version, with every default filled in.
 * @throws ConvScopeError 'invalid-input' that names the field, or 'unsupported' for a newer version or an unknown kind
 */
export function parseDocument(value: unknown): ExperimentDocument {
  const head = z.object({ kind: z.string(), version: z.number().int().positive() }).safeParse(value)
  if (!head.success) throw invalid('This is not an experiment document', head.error)
  const known = Object.hasOwn(experimentKinds, head.data.kind)
  if (!known) {
    throw new ConvScopeError('unsupported', `There is no experiment of kind "${head.data.kind}"`, {
      remedy: `Use one of: ${Object.keys(experimentKinds).join(', ')}.`,
    })
  }
  const kind: AnyKind = experimentKinds[head.data.kind as ExperimentKindName]
  if (head.data.version > kind.version) {
    throw new ConvScopeError(
      'unsupported',
      `The document is of version ${head.data.version} of ${kind.kind}; this program knows version ${kind.version}`,
      { remedy: 'Open it with a newer ConvScope.' },
    )
  }
  let current: unknown = value
  for (let version = head.data.version; version < kind.version; version++) {
    const upgrade = kind.upgrades[version]
    if (!upgrade) throw new ConvScopeError('unsupported', `Version ${version} of ${kind.kind} can no longer be read`)
    current = upgrade(current)
  }
  const parsed = ExperimentDocument.safeParse(current)
  if (!parsed.success) throw invalid(`The ${kind.kind} document has a mistake`, parsed.error)
  return parsed.data
}

/** Whether settings of a run of this kind can change while it runs. */
export function takesChanges(kind: ExperimentKindName): boolean {
  return changing(kind) !== undefined
}

/** The document with a change that took effect while it ran. @throws ConvScopeError 'unsupported' for a kind without such changes */
export function withChange(document: ExperimentDocument, { step, path, value }: RunChange): ExperimentDocument {
  const change = changing(document.kind)
  if (!change) throw new ConvScopeError('unsupported', `Settings of ${document.kind} cannot change while it runs`)
  return parseDocument({ ...document, params: change(document.params, { step, path, value }) })
}

function changing(kind: ExperimentKindName): ((params: unknown, change: RunChange) => unknown) | undefined {
  // TypeScript does not follow that a document's kind and its parameters belong together.
  return (experimentKinds[kind] as { withChange?: (params: unknown, change: RunChange) => unknown }).withChange
}

/** What a document is about in one line, for lists: a run's first title. */
export function describeDocument({ kind, params }: ExperimentDocument): string {
  // TypeScript does not follow that a document's kind and its parameters belong together.
  const { describe } = experimentKinds[kind] as { describe: (params: unknown) => string }
  return describe(params)
}

type AnyKind = { kind: string; version: number; upgrades: Readonly<Record<number, (document: unknown) => unknown>> }

function invalid(what: string, error: z.ZodError): ConvScopeError {
  const issue = error.issues[0]
  const place = issue?.path.length ? ` at ${issue.path.join('.')}` : ''
  return new ConvScopeError('invalid-input', `${what}${place}: ${issue?.message ?? 'unknown'}`, {
    remedy: 'Correct that field and try again.',
    details: z.prettifyError(error),
  })
}
