/** Where Keras keeps the weights of a layer in HDF5: Keras 2 by names in attributes, Keras 3 by the order of a layer's variables. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { Hdf5File } from '../../files/hdf5.ts'
import type { SourceFile } from '../../files/source-file.ts'
import type { ImportedTensor } from '../imported-network.ts'
import type { KerasWeights } from './layers.ts'

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
export type LayerWeights = (layer: {
  readonly name: string
  readonly className: string
  readonly config: Readonly<Record<string, unknown>>
}) => KerasWeights

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
  groups(): readonly { readonly group: string; readonly name: string }[] {
    return ['/layers', '/_layer_checkpoint_dependencies'].flatMap((parent) =>
      this.#file.keys(parent).map((key) => {
        const group = `${parent}/${key}`
        return { group, name: this.#file.text(`${group}/vars`, 'name') ?? this.#file.text(group, 'name') ?? '' }
      }),
    )
  }

  /** A lookup for files of either kind. */
  byLayer(): LayerWeights {
    if (this.layerNames() !== undefined) return ({ name }) => this.ofNamedLayer(name)
    const groups = this.groups()
    const byName = new Map(groups.map(({ group, name }) => [name, group]))
    const counts = new Map<string, number>()
    return ({ name, className, config }) => {
      const kind = snakeCase(className)
      const count = counts.get(kind) ?? 0
      counts.set(kind, count + 1)
      const key = count === 0 ? kind : `${kind}_${count}`
      const group = byName.get(name) ?? groups.find((candidate) => candidate.group.endsWith(`/${key}`))?.group
      return group === undefined ? {} : this.ofGroup(group, variableNames(className, config))
    }
  }

  /** The weights of a layer by the names in its attribute, as Keras 2 writes them (`conv1/kernel:0`). */
  ofNamedLayer(layer: string): KerasWeights {
    const group = `${this.#root()}/${layer}`
    const names = this.#file.texts(group, 'weight_names') ?? []
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
    const count = shape.reduce((product, size) => product * size, 1)
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

/** Keras' own rule for the keys of layers: `MaxPooling2D` → `max_pooling2d`, `ReLU` → `re_lu`. */
export function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
}
