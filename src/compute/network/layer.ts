/** What every layer kind has to offer: geometry, parameters, the way up and the way down. */
import type * as tfjs from '@tensorflow/tfjs'
import type { AxisField } from '../../shared/network/page.ts'
import type { WalkRules } from '../../shared/network/rules.ts'
import type { LayerOf, LayerType } from '../../shared/network/spec.ts'

/** The library, running on whichever engine was started. */
export type TensorFlow = typeof tfjs
export type Tensor = tfjs.Tensor
/** Sizes without the batch: `[height, width, channels]` or `[units]`. */
export type Shape = readonly number[]
export type Tensors = Readonly<Record<string, Tensor>>

export interface ParameterSpec {
  readonly name: string
  readonly shape: Shape
  /** False for running statistics, which training measures instead of differentiating. */
  readonly trainable: boolean
  /** Inputs that one output sums over, where initialisation depends on it. */
  readonly fanIn?: number
}

/** The field of a layer's units in its own input, along one axis. */
export interface AxisReach extends AxisField {
  /** The half-open range of input rows that the half-open range of output rows reads, before clipping. */
  reach(from: number, to: number): readonly [number, number]
}
/** 'global' where every unit reads the whole input. */
export type Reach = 'global' | { readonly rows: AxisReach; readonly columns: AxisReach }

export interface LayerContext<T extends LayerType> {
  readonly tf: TensorFlow
  readonly spec: LayerOf<T>
  readonly inputShapes: readonly Shape[]
  readonly outputShape: Shape
  /** By parameter name. */
  readonly weights: Tensors
  /** On the way down: the signal comes from a max pooling and is mostly zeros. */
  readonly sparse?: boolean
}

export interface ForwardMode {
  /** Dropout active, batch normalisation by batch statistics, every operation differentiable by the library's tape. */
  readonly training: boolean
  /** Whether a walk down follows, so that switches and activations have to be kept. */
  readonly saving: boolean
  /** For training: by dropout layer, `[batch, ...shape]`, 0 or 1 / (1 - rate). */
  readonly masks?: Tensors
}

export interface LayerResult {
  /** `[batch, ...outputShape]`. */
  readonly output: Tensor
  /** What `backward` needs; may alias inputs, output and weights. */
  readonly saved?: Tensors
  /** In training: what the batch says of parameters that are not trainable, by parameter name; variances without bias. */
  readonly statistics?: Tensors
}

/**
 * Pure tensor functions that give the same result on every engine. `backward` gets a signal `[signals, ...outputShape]` and returns one
 * signal per input; what was saved has the batch of the way up, which is 1 (many signals over one picture) or the number of signals.
 */
export interface LayerImplementation<T extends LayerType> {
  /** @throws RangeError when the inputs do not fit; the message says why, the caller adds the layer's name. */
  outputShape(spec: LayerOf<T>, inputShapes: readonly Shape[]): Shape
  /** Field of the units in each input. */
  receptiveField(spec: LayerOf<T>, inputShapes: readonly Shape[]): Reach
  parameters(spec: LayerOf<T>, inputShapes: readonly Shape[]): readonly ParameterSpec[]
  forward(context: LayerContext<T>, inputs: readonly Tensor[], mode: ForwardMode): LayerResult
  backward(context: LayerContext<T>, signal: Tensor, saved: Tensors, rules: WalkRules): readonly Tensor[]
}

/** The member of that name; its absence is a defect of the caller. */
export function need<V>(record: Readonly<Record<string, V>>, name: string): V {
  const value = Object.hasOwn(record, name) ? record[name] : undefined
  if (value === undefined)
    throw new Error(`${name} is missing; there is ${Object.keys(record).join(', ') || 'nothing'}`)
  return value
}

/** The only member of a list. */
export function only<V>(list: readonly V[]): V {
  const [first] = list
  if (first === undefined || list.length !== 1) throw new RangeError(`takes one input, not ${list.length}`)
  return first
}

/** `[height, width, channels]` of the only input. */
export function mapShape(inputShapes: readonly Shape[]): readonly [number, number, number] {
  const [height, width, channels, ...rest] = only(inputShapes)
  if (height === undefined || width === undefined || channels === undefined || rest.length > 0) {
    throw new RangeError(`takes [height, width, channels], not [${only(inputShapes).join(', ')}]`)
  }
  return [height, width, channels]
}

/** Channels of a map, or units of a vector. @throws RangeError for an empty shape */
export function channelsOf(shape: Shape): number {
  const channels = shape.at(-1)
  if (channels === undefined) throw new RangeError('an input without sizes')
  return channels
}

const sameRow: AxisReach = { size: 1, stride: 1, offset: 0, reach: (from, to) => [from, to] }
/** Each unit reads the unit at its own place (in every channel). */
export const POINTWISE: Reach = { rows: sameRow, columns: sameRow }

/** Defaults of a layer without parameters that keeps the shape of its only input. */
export const elementwise = {
  outputShape: (_spec: unknown, inputShapes: readonly Shape[]): Shape => only(inputShapes),
  receptiveField: (): Reach => POINTWISE,
  parameters: (): readonly ParameterSpec[] => [],
}
