import type { ExperimentKindName } from '../../../shared/experiments/index.ts'

/** The parts of the deconvnet's study that are runs, as the tab offers them. */
export const STUDY_KINDS = [
  {
    kind: 'top-activations',
    label: 'Top 9',
    begin:
      'Choose a network, a layer and a data set at the left, and press Run: every channel gets its strongest pictures.',
  },
  {
    kind: 'occlusion',
    label: 'Occlusion',
    begin:
      'Choose a network, a layer and a picture at the left, and press Run: parts of the picture are hidden in turn.',
  },
  {
    kind: 'invariance',
    label: 'Invariance',
    begin:
      'Choose a network and a first picture at the left, and press Run: it and those after it are moved, scaled, turned.',
  },
  {
    kind: 'correspondence',
    label: 'Correspondence',
    begin: 'Mark the same parts on two pictures or more, above, and press Run at the left.',
  },
  {
    kind: 'feature-evolution',
    label: 'Evolution',
    begin:
      'Choose a training that kept snapshots at the left, and press Run: the strongest projections at each of them.',
  },
  {
    kind: 'activation-statistics',
    label: 'Statistics',
    begin:
      'Choose a network, a layer and a data set at the left, and press Run: histograms and correlations of all channels.',
  },
] as const satisfies readonly { kind: ExperimentKindName; label: string; begin: string }[]

export type StudyKind = (typeof STUDY_KINDS)[number]['kind']

/** What to do where there is nothing yet. */
export const beginningOf = (kind: StudyKind): string => STUDY_KINDS.find((known) => known.kind === kind)?.begin ?? ''

export const studyKind = (name: unknown): StudyKind | undefined => STUDY_KINDS.find(({ kind }) => kind === name)?.kind
