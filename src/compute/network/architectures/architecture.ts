/** What a published architecture offers: its exact layers and preprocessing, for its own or other classes and input sizes. */
import type * as z from 'zod'
import { ConvScopeError } from '../../../shared/errors.ts'
import { NetworkSpec, type LayerSpec, type Preprocessing } from '../../../shared/network/spec.ts'
import { buildGraph } from '../graph.ts'

/** A layer as it is written down, defaults left out. */
export type LayerInput = z.input<typeof LayerSpec>
export type PreprocessingInput = z.input<typeof Preprocessing>
/** `[height, width, channels]`. */
export type InputShape = readonly [number, number, number]

export interface ArchitectureOptions {
  /** Number of classes, or their names in the order of the outputs; the published ones when left out. */
  readonly classes?: number | readonly string[]
  /** The published one when left out. Channels are 1 or 3. */
  readonly inputShape?: InputShape
}

export interface KnownArchitecture {
  /** What it is called in commands and documents. */
  readonly name: string
  readonly title: string
  /** Where it was published, and what this reading of it decides. */
  readonly source: string
  /** Learned parameters of the published network (running statistics of batch normalisation are not counted). */
  readonly parameters: number
  /** By layer with parameters: the prefix of its entries in a PyTorch state dictionary (`features.0` for `features.0.weight`). */
  readonly torchNames?: Readonly<Record<string, string>>
  /** Prefixes of entries of a published state dictionary that belong to no layer here: auxiliary classifiers. */
  readonly torchIgnored?: readonly string[]
  /**
   * The specification, named after the architecture.
   * @throws ConvScopeError 'invalid-input' where the layers do not fit the input shape
   */
  readonly spec: (options?: ArchitectureOptions) => NetworkSpec
}

interface Description extends Omit<KnownArchitecture, 'spec'> {
  readonly inputShape: InputShape
  /** Number of classes, or their names. */
  readonly classes: number | readonly string[]
  readonly preprocessing: (shape: InputShape) => PreprocessingInput
  /** The layers after the input, the last one with `outputs` units. */
  readonly layers: (outputs: number, shape: InputShape) => readonly LayerInput[]
}

/** A known architecture from its description. */
export function describeArchitecture(description: Description): KnownArchitecture {
  const { inputShape, classes, preprocessing, layers, ...facts } = description
  const { name, title, source } = facts
  const specFor = (shape: InputShape, chosen: number | readonly string[]): NetworkSpec => {
    const outputs = typeof chosen === 'number' ? chosen : chosen.length
    const spec = NetworkSpec.parse({
      format: 'convscope-network',
      version: 1,
      name,
      title,
      source,
      preprocessing: preprocessing(shape),
      classes: typeof chosen === 'number' ? [] : chosen,
      layers: [{ name: 'input', type: 'input', shape }, ...layers(outputs, shape)],
    })
    buildGraph(spec)
    return spec
  }
  return {
    ...facts,
    spec: (options = {}) => {
      const shape = options.inputShape ?? inputShape
      if (shape[2] !== 1 && shape[2] !== 3) {
        throw new ConvScopeError('invalid-input', `${title} takes pictures of 1 or 3 channels, not ${shape[2]}.`, {
          remedy: 'Choose grey or colour pictures.',
        })
      }
      const chosen = options.classes ?? classes
      try {
        return specFor(shape, chosen)
      } catch (error) {
        const larger = sizesAbove(shape, inputShape).find((candidate) => doesNotThrow(() => specFor(candidate, chosen)))
        if (!(error instanceof ConvScopeError) || larger === undefined) throw error
        const message = `${title} does not fit an input of ${shape[0]} × ${shape[1]}: ${error.message}`
        throw new ConvScopeError('invalid-input', message, {
          remedy: `Choose a larger input size: ${larger[0]} × ${larger[1]} is the next that fits.`,
          cause: error,
        })
      }
    },
  }
}

/** Shapes that are larger by the same number of rows and columns, up to the published size. */
function sizesAbove([height, width, channels]: InputShape, published: InputShape): InputShape[] {
  const count = Math.max(0, Math.max(published[0], published[1]) - Math.min(height, width))
  return Array.from({ length: count }, (_, index) => [height + index + 1, width + index + 1, channels])
}

function doesNotThrow(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}
