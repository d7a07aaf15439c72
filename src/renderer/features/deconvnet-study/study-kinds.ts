import type { ExperimentKindName } from '../../../shared/experiments/index.ts'

/** The parts of the deconvnet's study that are runs, as the tab offers them. */
export const STUDY_KINDS = [
  { kind: 'top-activations', label: 'Top 9' },
  { kind: 'occlusion', label: 'Occlusion' },
  { kind: 'invariance', label: 'Invariance' },
  { kind: 'correspondence', label: 'Correspondence' },
  { kind: 'feature-evolution', label: 'Evolution' },
] as const satisfies readonly { kind: ExperimentKindName; label: string }[]

export type StudyKind = (typeof STUDY_KINDS)[number]['kind']

export const studyKind = (name: unknown): StudyKind | undefined => STUDY_KINDS.find(({ kind }) => kind === name)?.kind
