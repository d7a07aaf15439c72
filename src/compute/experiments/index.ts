/** What executes each kind of experiment. A new kind is one file here, and one line in this list. */
import type * as z from 'zod'
import type { experimentKinds, ExperimentKindName } from '../../shared/experiments/index.ts'
import { deconvnet } from './deconvnet.ts'
import type { Experiment } from './experiment.ts'
import { trainClassifier } from './train-classifier.ts'

type Kinds = typeof experimentKinds

export const experiments: {
  readonly [K in ExperimentKindName]: Experiment<z.infer<Kinds[K]['params']>, z.infer<Kinds[K]['result']>>
} = { deconvnet, 'train-classifier': trainClassifier }
