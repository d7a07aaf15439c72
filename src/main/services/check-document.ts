/** Whatever a document names must be there before a run is made of it. */
import { ConvScopeError, type ErrorCode } from '../../shared/errors.ts'
import type { ExperimentDocument } from '../../shared/experiments/index.ts'
import type { Mention } from '../../shared/experiments/mentions.ts'
import { suggestNames } from '../../shared/nearest-names.ts'
import type { NetworkPage, NetworkRecord } from '../../shared/network/page.ts'
import { mentionsOf } from '../project/library-hashes.ts'
import type { Project } from '../project/project.ts'

export interface CheckingHelp {
  readonly project: Pick<Project, 'networks' | 'datasets'>
  /** Shapes of a network's layers; asked for where the document names units. */
  readonly layersOf: (network: NetworkRecord) => Promise<NetworkPage['layers']>
  /** Names of the known architectures; asked for where the document names one. */
  readonly architectures: () => Promise<readonly string[]>
}

type MentionOf<T extends Mention['thing']> = Extract<Mention, { thing: T }>
type Checks = { readonly [T in Exclude<Mention['thing'], 'artifact'>]: (mention: MentionOf<T>) => void | Promise<void> }

/**
 * Checks every network, layer, unit, data set, split, picture and architecture that the document names. Artifacts are the queue's to check.
 * @throws ConvScopeError 'not-found', or 'invalid-input' for a number out of range, that names the field and what there is
 */
export async function checkDocument(document: ExperimentDocument, help: CheckingHelp): Promise<void> {
  for (const mention of mentionsOf(document)) {
    if (mention.thing === 'artifact') continue
    const check = checksWith(help)[mention.thing] as (mention: Mention) => void | Promise<void>
    try {
      await check(mention)
    } catch (error) {
      throw error instanceof Missing ? error.inDocument(document.kind, mention.field) : error
    }
  }
}

/** What is not there; the field is added where it is known. */
class Missing extends Error {
  readonly #code: ErrorCode
  readonly #remedy: string

  constructor(code: ErrorCode, message: string, remedy: string) {
    super(message)
    this.#code = code
    this.#remedy = remedy
  }

  inDocument(kind: string, field: string): ConvScopeError {
    return new ConvScopeError(this.#code, `The ${kind} document has a mistake at params.${field}: ${this.message}`, {
      remedy: this.#remedy,
    })
  }
}

function checksWith({ project, layersOf, architectures }: CheckingHelp): Checks {
  const { networks, datasets } = project
  return {
    network: ({ name }) => {
      if (networks.has(name)) return
      const names = networks.list().items.map((network) => network.name)
      throw new Missing(
        'not-found',
        `there is no network "${name}" in the library`,
        suggestNames(name, names, 'The library has'),
      )
    },
    layer: ({ network, name }) => {
      const { spec } = networks.get(network)
      const names = spec.layers.map((layer) => layer.name)
      if (names.includes(name)) return
      throw new Missing(
        'not-found',
        `the network ${network} has no layer "${name}"`,
        suggestNames(name, names, 'Its layers are'),
      )
    },
    unit: async ({ network, layer, channel, position }) => {
      const shape = (await layersOf(networks.get(network))).find(({ name }) => name === layer)?.shape ?? []
      const count = shape.at(-1) ?? 0
      if (channel >= count) {
        const what = shape.length === 3 ? 'channel' : 'unit'
        throw new Missing(
          'invalid-input',
          `layer ${layer} of ${network} has no ${what} ${channel}`,
          `Its ${what}s are 0 to ${count - 1}.`,
        )
      }
      if (position === undefined) return
      const [rows = 0, columns = 0] = shape.length === 3 ? shape : []
      const [row, column] = position
      if (row < rows && column < columns) return
      throw new Missing(
        'invalid-input',
        `layer ${layer} of ${network} has no place ${row}, ${column}`,
        rows === 0 ? 'Its units have no places: leave the position out.' : `It has ${rows} × ${columns} places.`,
      )
    },
    dataset: ({ name }) => {
      if (datasets.has(name)) return
      const names = datasets.list().items.map((dataset) => dataset.name)
      throw new Missing(
        'not-found',
        `there is no data set "${name}" in the library`,
        suggestNames(name, names, 'The library has'),
      )
    },
    split: ({ dataset, name }) => {
      const names = datasets.get(dataset).splits.map((split) => split.name)
      if (names.includes(name)) return
      throw new Missing(
        'not-found',
        `the data set ${dataset} has no split "${name}"`,
        suggestNames(name, names, 'Its splits are'),
      )
    },
    picture: ({ dataset, split, index }) => {
      const count = datasets.get(dataset).splits.find((candidate) => candidate.name === split)?.count ?? 0
      if (index < count) return
      throw new Missing(
        'invalid-input',
        `the split ${split} of ${dataset} has no picture ${index}`,
        `Its pictures are 0 to ${count - 1}.`,
      )
    },
    architecture: async ({ name }) => {
      const names = await architectures()
      if (names.includes(name)) return
      throw new Missing('not-found', `there is no known architecture "${name}"`, suggestNames(name, names, 'There are'))
    },
  }
}
