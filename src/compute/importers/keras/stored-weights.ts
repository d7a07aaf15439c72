/** Where Keras keeps the weights of a layer in HDF5: Keras 2 by names in attributes, Keras 3 by the order of a layer's variables. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import { Hdf5File } from '../../files/hdf5.ts'
import type { SourceFile } from '../../files/source-file.ts'
import type { ImportedTensor } from '../imported-network.ts'
import type { KerasWeights } from './layers.ts'
import type { KerasLayer, KerasPlace } from './topology.ts'

/** Names of the variables of a layer in Keras 3, by its class, in their order. */
export function variableNames(className: string, config: Readonly<Record<string, unknown>>): readonly string[] {
  const unless = (flag: string, name: string): string[] => (config[flag] === false ? [] : [name])
  switch (className) {
    case 'BatchNormalization':
      return [...unless('scale', 'gamma'), ...unless('center', 'beta'), 'moving_mean', 'moving_variance']
    case 'SeparableConv2D':
      return ['depthwise_kernel', 'pointwise_kernel', ...unless('use_bias', 'bias')]
    case 'Normalization':
      return ['mean', 'variance', 'count']
    default:
      return ['kernel', ...unless('use_bias', 'bias')]
  }
}

/** The parameters of one layer, each with the last part of its name. */
export type LayerWeights = (
  layer: Pick<KerasLayer, 'own' | 'within' | 'ordinal' | 'className' | 'config'>,
) => KerasWeights

/** A file with its values read again when they are asked for. */
export class StoredWeights {
  readonly #source: SourceFile
  readonly #file: Hdf5File

  constructor(source: SourceFile, file: Hdf5File) {
    this.#source = source
    this.#file = file
  }

  /** Names of the layers in a file of Keras 2, in their order; undefined for other files. */
  layerNames(): readonly string[] | undefined {
    return this.#file.texts(this.#root(), 'layer_names')
  }

  /** Names in a file of Keras 3 by the group that holds the variables; a group without a name goes by its own. */
  groups(within = ''): readonly { readonly group: string; readonly name: string }[] {
    return ['/layers', '/_layer_checkpoint_dependencies'].flatMap((folder) => {
      const parent = `${within}${folder}`
      return this.#file.keys(parent).map((key) => {
        const group = `${parent}/${key}`
        return { group, name: this.#file.text(`${group}/vars`, 'name') ?? this.#file.text(group, 'name') ?? '' }
      })
    })
  }

  /** A lookup for files of either kind. */
  byLayer(): LayerWeights {
    if (this.layerNames() !== undefined) return ({ own, within }) => this.ofNamedLayer(own, within)
    const known = new Map<string, ReturnType<StoredWeights['groups']>>()
    const groupOf = (parent: string | undefined, { name, className, ordinal }: KerasPlace): string | undefined => {
      if (parent === undefined) return undefined
      const groups = known.get(parent) ?? this.groups(parent)
      known.set(parent, groups)
      const kind = snakeCase(className)
      const key = ordinal === 0 ? kind : `${kind}_${ordinal}`
      return (
        groups.find((candidate) => candidate.name === name)?.group ??
        groups.find((candidate) => candidate.group.endsWith(`/${key}`))?.group
      )
    }
    return ({ own, within, ordinal, className, config }) => {
      const container = within.reduce<string | undefined>(groupOf, '')
      const group = groupOf(container, { name: own, className, ordinal })
      return group === undefined ? {} : this.ofGroup(group, variableNames(className, config))
    }
  }

  /**
   * The weights of a layer by the names in an attribute, as Keras 2 writes them (`conv1/kernel:0`).
   * @param within the models that it lies in: the outermost one has the names of all their weights
   */
  ofNamedLayer(layer: string, within: readonly Pick<KerasPlace, 'name'>[] = []): KerasWeights {
    const group = `${this.#root()}/${within[0]?.name ?? layer}`
    const all = this.#file.texts(group, 'weight_names') ?? []
    const names = within.length === 0 ? all : namesOf(all, [...within.map(({ name }) => name), layer])
    return Object.fromEntries(
      names.map((name) => {
        const word = name.split('/').at(-1)?.replace(/:\d+$/, '') ?? name
        return [word, this.#tensor(`${group}/${name}`)]
      }),
    )
  }

  /** The variables `vars/0`, `vars/1` … under the names given. */
  ofGroup(group: string, names: readonly string[]): KerasWeights {
    const keys = this.#file.keys(`${group}/vars`)
    const named = names.flatMap((name, index) =>
      keys.includes(String(index)) ? [[name, this.#tensor(`${group}/vars/${index}`)] as const] : [],
    )
    return Object.fromEntries(named)
  }

  #root(): string {
    return this.#file.kind('/model_weights') === 'group' ? '/model_weights' : ''
  }

  #tensor(path: string): ImportedTensor {
    const source = this.#source
    const shape = this.#file.shape(path)
    const count = sizeOf(shape)
    return {
      shape,
      values: () => {
        const values = Hdf5File.use(source, (file) => file.floats(path))
        if (values.length === count) return values
        throw new ConvScopeError(
          'damaged',
          `${source.name} cannot be read: ${path} has ${values.length} values and not ${count}.`,
          {
            remedy: 'Copy, download or save the file again.',
          },
        )
      },
    }
  }
}

/** Names of one layer's weights: its own name stands before the last word, those of the models it lies in before that or not at all. */
function namesOf(all: readonly string[], path: readonly string[]): string[] {
  for (let skipped = 0; skipped < path.length; skipped++) {
    const wanted = `/${path.slice(skipped).join('/')}/`
    const found = all.filter((name) => `/${name.slice(0, name.lastIndexOf('/') + 1)}`.endsWith(wanted))
    if (found.length > 0) return found
  }
  return []
}

/** Keras' own rule for the keys of layers: `MaxPooling2D` → `max_pooling2d`, `ReLU` → `re_lu`. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
}
