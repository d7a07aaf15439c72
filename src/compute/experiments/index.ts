/** What executes each kind of experiment. A new kind is one file here, and one line in this list. */
import type * as z from 'zod'
import type { experimentKinds, ExperimentKindName } from '../../shared/experiments/index.ts'
import { activationMaximisation } from './activation-maximisation.ts'
import { activationStatistics } from './activation-statistics.ts'
import { correspondence } from './correspondence.ts'
import { deconvnet } from './deconvnet.ts'
import type { Experiment } from './experiment.ts'
import { featureEvolution } from './feature-evolution.ts'
import { invariance } from './invariance.ts'
import { occlusion } from './occlusion.ts'
import { regulariserSearch } from './regulariser-search.ts'
import { topActivations } from './top-activations.ts'
import { trainClassifier } from './train-classifier.ts'

type Kinds = typeof experimentKinds

export const experiments: {
  readonly [K in ExperimentKindName]: Experiment<z.infer<Kinds[K]['params']>, z.infer<Kinds[K]['result']>>
} = {
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
}
