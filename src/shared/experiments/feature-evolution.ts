/** Feature evolution (Zeiler & Fergus 2013, figure 4): the strongest projection of channels while a network learns. */
import * as z from 'zod'
import { BackwardRules } from '../network/rules.ts'
import { NetworkSpec } from '../network/spec.ts'
import { LibraryName, Pair, Sha256 } from '../values.ts'
import { documentSchema, type ExperimentKind } from './document.ts'
import { layerMentions, mentionsWithin, networkMention, splitMentions, type Mention } from './mentions.ts'
import { DrawnChannels, drawnMentions } from './top-activations.ts'
import { startName, TrainClassifierParams, trainClassifier } from './train-classifier.ts'

const Epoch = z.number().int().nonnegative()

const KeptWeights = z
  .array(z.strictObject({ epoch: Epoch, sha256: Sha256 }))
  .min(1)
  .max(200)

/** A training run of the project. Who starts the document fills in the rest from it. */
export const RunSnapshots = z.strictObject({
  from: z.literal('run'),
  run: z.string().min(1).max(64),
  spec: NetworkSpec.optional(),
  weights: KeptWeights.optional(),
})
export type RunSnapshots = z.infer<typeof RunSnapshots>

/** Where the weights of each epoch come from. */
export const Snapshots = z.discriminatedUnion('from', [
  /** A training made for it; its `snapshots` are the epochs. */
  z.strictObject({ from: z.literal('training'), training: TrainClassifierParams }),
  /** Outputs `weights-epoch-<n>` of a run, for the layers of a network of the library. */
  z.strictObject({ from: z.literal('weights'), network: LibraryName, weights: KeptWeights }),
  RunSnapshots,
  /** Networks of the library with the same layers. */
  z.strictObject({
    from: z.literal('networks'),
    networks: z
      .array(z.strictObject({ epoch: Epoch, network: LibraryName }))
      .min(1)
      .max(200),
  }),
])
export type Snapshots = z.infer<typeof Snapshots>

export const FeatureEvolutionParams = z.strictObject({
  snapshots: Snapshots,
  /** The pictures among which the strongest activation is looked for. */
  dataset: LibraryName,
  split: LibraryName.default('test'),
  pictureCount: z.number().int().min(1).default(1000),
  layers: z.array(LibraryName).min(1).max(64),
  drawn: DrawnChannels.default({ kind: 'random', count: 6 }),
  rules: BackwardRules.default({ relu: 'deconvnet', unpool: 'sum', lrn: 'identity' }),
  batchSize: z.number().int().min(1).max(4096).default(128),
})
export type FeatureEvolutionParams = z.infer<typeof FeatureEvolutionParams>

export const FeatureEvolutionResult = z.object({
  dataset: LibraryName,
  split: LibraryName,
  pictures: z.number().int().positive(),
  epochs: z.array(Epoch),
  /** Of the projections' channels; runs of earlier versions did not say. */
  channelOrder: z.enum(['grey', 'rgb', 'bgr']).optional(),
  layers: z.array(
    z.object({
      layer: LibraryName,
      channels: z.array(
        z.object({
          channel: z.number().int().nonnegative(),
          /** One an epoch; null where no picture changed the channel. */
          strongest: z.array(
            z
              .object({ picture: z.number().int().nonnegative(), value: z.number(), position: Pair.nullable() })
              .nullable(),
          ),
        }),
      ),
    }),
  ),
})
export type FeatureEvolutionResult = z.infer<typeof FeatureEvolutionResult>

/** Outputs: the table `strongest`; for every layer the array `projections-<layer>` `[channels, epochs, h, w, c]`; lasting runs also write the picture `figure-<layer>`. */
export const featureEvolution: ExperimentKind<
  'feature-evolution',
  typeof FeatureEvolutionParams,
  typeof FeatureEvolutionResult
> = {
  kind: 'feature-evolution',
  version: 1,
  title: 'Feature evolution',
  summary: 'Watch what channels respond to while a network learns (Zeiler & Fergus 2013, figure 4).',
  params: FeatureEvolutionParams,
  result: FeatureEvolutionResult,
  document: documentSchema('feature-evolution', 1, FeatureEvolutionParams),
  describe: ({ snapshots, layers }) => `Evolution of ${layers.join(', ')} of ${snapshotsName(snapshots)}`,
  mentions: ({ snapshots, dataset, split, layers, drawn }) => [
    ...splitMentions({ field: 'dataset', name: dataset }, { field: 'split', name: split }),
    ...snapshotMentions(snapshots),
    ...networksOf(snapshots).flatMap((network) => [
      ...layerMentions('layers', network, layers),
      ...drawnMentions(network, layers, drawn),
    ]),
  ],
  upgrades: {},
}

function snapshotMentions(snapshots: Snapshots): Mention[] {
  if (snapshots.from === 'training')
    return mentionsWithin('snapshots.training', trainClassifier.mentions(snapshots.training))
  if (snapshots.from === 'networks')
    return snapshots.networks.map(({ network }, index) =>
      networkMention(`snapshots.networks.${index}.network`, network),
    )
  return [
    ...(snapshots.from === 'weights' ? [networkMention('snapshots.network', snapshots.network)] : []),
    ...(snapshots.weights ?? []).map(({ sha256 }, index): Mention => ({
      thing: 'artifact',
      field: `snapshots.weights.${index}.sha256`,
      sha256,
      holds: 'weights',
    })),
  ]
}

/** Networks of the library whose layers are looked at. */
function networksOf(snapshots: Snapshots): string[] {
  if (snapshots.from === 'networks') return snapshots.networks.map(({ network }) => network)
  if (snapshots.from === 'weights') return [snapshots.network]
  if (snapshots.from === 'run') return []
  const { start } = snapshots.training
  return start.from === 'network' ? [start.name] : []
}

function snapshotsName(snapshots: Snapshots): string {
  if (snapshots.from === 'training') return startName(snapshots.training.start)
  if (snapshots.from === 'run') return snapshots.spec?.name ?? snapshots.run
  return snapshots.from === 'weights' ? snapshots.network : `${snapshots.networks.length} networks`
}
