/**
 * Puts an imported network together layer by layer, as the importers of layer graphs do: names, shapes, weights, and what to do about
 * an operator that ConvScope does not have.
 */
import type * as z from 'zod'
import { action } from '../../../shared/actions.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/network/finding.ts'
import { LayerSpec, MEAN_IMAGE_TENSOR, type NetworkSpec, type Preprocessing } from '../../../shared/network/spec.ts'
import { buildGraph } from '../../network/graph.ts'
import type { Shape } from '../../network/layer.ts'
import { implementationOf } from '../../network/layers/index.ts'
import type { ImportedNetwork, ImportedTensor } from '../imported-network.ts'
import { LayerNames } from './layer-names.ts'
import { sizeOf } from '../../../shared/size-of.ts'

type WithoutPlace<T> = T extends unknown ? Omit<T, 'name' | 'inputs'> : never
/** A layer but for its name and place. */
export type LayerDraft = WithoutPlace<z.input<typeof LayerSpec>>

/** The output of a layer. */
export interface LayerOutput {
  readonly layer: string
  /** `[height, width, channels]` or `[units]`. */
  readonly shape: Shape
}

/** Thrown where one operator, or one of its settings, has no counterpart; the network up to it is still imported. */
export class UnsupportedOperator extends Error {}

export interface AssemblyOptions {
  readonly name: string
  readonly title: string
  readonly source?: string
  readonly preprocessing: Preprocessing
  /** The mean picture, of the input's shape, where `preprocessing` subtracts one. */
  readonly meanImage?: ImportedTensor
  readonly classes?: readonly string[]
}

const MAX_LAYERS = 5000
const MAX_UNITS = 2 ** 31

export class NetworkAssembly {
  /** What messages call the file. */
  readonly file: string
  readonly #names = new LayerNames()
  readonly #layers: LayerSpec[] = []
  readonly #shapes = new Map<string, Shape>()
  readonly #tensors = new Map<string, ImportedTensor>()
  readonly #findings: Finding[] = []
  readonly #unsupported: string[] = []

  constructor(file: string) {
    this.file = file
  }

  get findings(): readonly Finding[] {
    return this.#findings
  }

  /** Layers so far, the input included. */
  get layers(): readonly LayerSpec[] {
    return this.#layers
  }

  note(finding: Finding): void {
    this.#findings.push(finding)
  }

  /** @param shape `[height, width, channels]` */
  input(name: string, shape: Shape): LayerOutput {
    if (this.#layers.length > 0) {
      throw this.#refuse('unsupported', `the network has more than one input (${name} is the second)`)
    }
    return this.#push(name, { type: 'input', shape: shape as [number, number, number] }, [])
  }

  /**
   * Adds a layer above others.
   * @param name as in the file
   * @param tensors its parameters in ConvScope's layout
   * @throws ConvScopeError 'damaged' where a setting is out of range or the shapes do not fit
   */
  add(
    name: string,
    draft: LayerDraft,
    inputs: readonly LayerOutput[],
    tensors: Readonly<Record<string, ImportedTensor>> = {},
  ): LayerOutput {
    const output = this.#push(name, draft, inputs)
    this.#requireFit(name, output.layer, inputs, tensors)
    for (const [parameter, tensor] of Object.entries(tensors)) this.#tensors.set(`${output.layer}/${parameter}`, tensor)
    return output
  }

  /** `[units]` of any output; nothing is added where it has this shape already. */
  flatten(name: string, input: LayerOutput, order: 'chw' | 'hwc'): LayerOutput {
    return input.shape.length === 1 ? input : this.add(name, { type: 'flatten', order }, [input])
  }

  /** `y = x * scale + shift` for every channel: batch normalisation by a mean of 0 and a variance of 1. */
  affine(
    name: string,
    input: LayerOutput,
    { scale, shift }: { readonly scale?: ImportedTensor; readonly shift?: ImportedTensor },
  ): LayerOutput {
    const channels = input.shape.at(-1) ?? 0
    const constant = (value: number): ImportedTensor => ({
      shape: [channels],
      values: () => new Float32Array(channels).fill(value),
    })
    return this.add(
      name,
      // So small that 1 + epsilon is 1 in float32.
      { type: 'batch-norm', epsilon: 1e-12, scale: scale !== undefined, shift: shift !== undefined },
      [input],
      { ...(scale ? { scale } : {}), ...(shift ? { shift } : {}), mean: constant(0), variance: constant(1) },
    )
  }

  /** Records an operator without a counterpart, once for each reason. */
  unsupported(layer: string, operator: string, reason = ''): void {
    const what = `${operator} (layer ${layer})${reason === '' ? '' : `: ${reason}`}`
    if (this.#unsupported.push(what) > 20) return
    this.note({
      code: 'unsupported-operator',
      severity: 'error',
      message: `${this.file}: ConvScope does not have ${what}. This layer and those above it are left out.`,
      remedy: 'Use the layers below it, or replace this layer in the source program and export again.',
    })
  }

  /** How one layer is damaged. */
  damaged(layer: string, reason: string, remedy = 'Copy, download or export the file again.'): ConvScopeError {
    return new ConvScopeError('damaged', `${this.file}: layer ${layer}: ${reason}.`, { remedy })
  }

  /**
   * The network, checked.
   * @param output the layer that it ends in; the last one added when left out
   * @throws ConvScopeError 'unsupported' where nothing but the input is left; 'damaged' where the layers are no network
   */
  finish(options: AssemblyOptions, output?: LayerOutput): ImportedNetwork {
    if (this.#layers.length < 2) {
      const [first] = this.#unsupported
      throw this.#refuse(
        first === undefined ? 'invalid-input' : 'unsupported',
        first === undefined
          ? 'it describes no layers'
          : `nothing is left of the network, for ConvScope does not have ${first}`,
      )
    }
    const layers = this.#endingIn(output?.layer)
    const kept = new Set(layers.map((layer) => layer.name))
    const spec: NetworkSpec = {
      format: 'convscope-network',
      version: 1,
      name: options.name,
      title: options.title.slice(0, 200) || options.name,
      source: options.source ?? '',
      preprocessing: options.preprocessing,
      classes: [...(options.classes ?? [])],
      layers,
    }
    const graph = buildGraph(spec)
    const classes = options.classes?.length ?? 0
    const outputs = graph.output.shape.at(-1) ?? 0
    if (classes > 0 && classes !== outputs && this.#unsupported.length === 0) {
      this.note({
        code: 'class-count',
        severity: 'warning',
        message: `${this.file} names ${classes} classes, and the network has ${outputs} outputs.`,
        remedy: action('name-classes'),
      })
    }
    const tensors = new Map([...this.#tensors].filter(([path]) => kept.has(path.slice(0, path.lastIndexOf('/')))))
    if (options.meanImage !== undefined) tensors.set(MEAN_IMAGE_TENSOR, options.meanImage)
    return { spec, tensors, findings: [...this.#findings, ...this.#names.findings()] }
  }

  #push(written: string, draft: LayerDraft, inputs: readonly LayerOutput[]): LayerOutput {
    if (this.#layers.length >= MAX_LAYERS) {
      throw this.#refuse('too-large', `it has more than ${MAX_LAYERS} layers`)
    }
    const name = this.#names.claim(written)
    const previous = this.#layers.at(-1)?.name
    const chained = inputs.length === 1 && inputs[0]?.layer === previous
    const place = draft.type === 'input' || chained ? {} : { inputs: inputs.map((input) => input.layer) }
    const parsed = LayerSpec.safeParse({ ...draft, ...place, name })
    if (!parsed.success) {
      const [issue] = parsed.error.issues
      throw this.damaged(written, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a layer'}`)
    }
    const spec = parsed.data
    try {
      const shape = spec.type === 'input' ? spec.shape : implementationOf(spec).outputShape(spec, shapesOf(inputs))
      if (!(sizeOf(shape) <= MAX_UNITS)) throw new RangeError(`its output of [${shape.join(', ')}] is too large`)
      this.#layers.push(spec)
      this.#shapes.set(name, shape)
      return { layer: name, shape }
    } catch (error) {
      if (error instanceof RangeError) throw this.damaged(written, error.message)
      throw error
    }
  }

  #requireFit(
    written: string,
    layer: string,
    inputs: readonly LayerOutput[],
    tensors: Readonly<Record<string, ImportedTensor>>,
  ): void {
    const spec = this.#layers.at(-1)
    if (spec === undefined) return
    for (const { name, shape } of implementationOf(spec).parameters(spec, shapesOf(inputs))) {
      const found = tensors[name]
      if (found === undefined) {
        throw this.damaged(
          written,
          `its ${name} of [${shape.join(', ')}] is not in the file`,
          'Give the weights that belong to this description of the layers.',
        )
      }
      if (found.shape.join() === shape.join()) continue
      const { shape: below } = inputs[0] ?? { shape: [] }
      throw this.damaged(
        written,
        `its ${name} has the shape [${found.shape.join(', ')}] in the file, and its settings and its input of [${below.join(', ')}] ask for [${shape.join(', ')}] (layer ${layer})`,
        'Give the weights and the description that belong together, and check the size of the input.',
      )
    }
  }

  /** The layers with that one last; what it does not need is left out where it cannot stand before it. */
  #endingIn(output: string | undefined): LayerSpec[] {
    const last = this.#layers.at(-1)?.name
    if (output === undefined || output === last) return this.#layers
    // Written out, for layers move away from their neighbours.
    const explicit = this.#layers.map((layer, index): LayerSpec => {
      const previous = this.#layers[index - 1]
      return layer.inputs !== undefined || previous === undefined ? layer : { ...layer, inputs: [previous.name] }
    })
    const end = explicit.find((layer) => layer.name === output)
    if (end === undefined) return this.#layers
    const others = explicit.filter((layer) => layer !== end)
    if (others.every((layer) => layer.inputs?.includes(output) !== true)) return [...others, end]
    const needed = new Set([output])
    for (const layer of [...explicit].reverse()) {
      if (needed.has(layer.name)) for (const name of layer.inputs ?? []) needed.add(name)
    }
    return explicit.filter((layer) => needed.has(layer.name))
  }

  #refuse(code: 'unsupported' | 'too-large' | 'invalid-input', reason: string): ConvScopeError {
    return new ConvScopeError(code, `${this.file} cannot be imported: ${reason}.`, {
      remedy:
        code === 'unsupported'
          ? 'Export the part of the network that ends below it.'
          : 'Import the file of a network with convolutions.',
    })
  }
}

function shapesOf(inputs: readonly LayerOutput[]): Shape[] {
  return inputs.map((input) => input.shape)
}
