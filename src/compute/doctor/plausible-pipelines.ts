/** The ways in which networks' pictures are usually prepared: what to try where nobody knows which one was meant. */
import { Preprocessing } from '../../shared/network/spec.ts'

export interface Pipeline {
  readonly preprocessing: Preprocessing
  /** Such as "BGR, 0…255 less 103.9, 116.8, 123.7". */
  readonly description: string
  /** Whether it is the network's own. */
  readonly own: boolean
}

type Normalisation = Pick<Preprocessing, 'scale' | 'mean' | 'std'>

/** R, G, B. */
const IMAGENET_MEAN = [0.485, 0.456, 0.406]
const IMAGENET_DEVIATION = [0.229, 0.224, 0.225]
const IMAGENET_BYTES = [123.68, 116.779, 103.939]

const COLOUR: readonly Normalisation[] = [
  { scale: 1 / 255, mean: [], std: [] },
  { scale: 1 / 255, mean: IMAGENET_MEAN, std: IMAGENET_DEVIATION },
  { scale: 1 / 255, mean: IMAGENET_MEAN, std: [] },
  { scale: 1 / 127.5, mean: [1, 1, 1], std: [] },
  { scale: 1, mean: [], std: [] },
  { scale: 1, mean: IMAGENET_BYTES, std: [] },
]

/** The second with MNIST's mean and deviation; the last one with black and white exchanged. */
const GREY: readonly Normalisation[] = [
  { scale: 1 / 255, mean: [], std: [] },
  { scale: 1 / 255, mean: [0.1307], std: [0.3081] },
  { scale: 1 / 127.5, mean: [1], std: [] },
  { scale: 1, mean: [], std: [] },
  { scale: -1 / 255, mean: [-1], std: [] },
]

/** The network's own first; each of the others once. Resize and crop stay as they are. */
export function plausiblePipelines(own: Preprocessing): Pipeline[] {
  const { resize, crop } = own
  const sizes = { ...(resize ? { resize } : {}), ...(crop ? { crop } : {}) }
  const made = (order: Preprocessing['channelOrder'], normalisation: Normalisation): Preprocessing =>
    Preprocessing.parse({ ...sizes, channelOrder: order, ...normalisation })
  const { scale, mean, std } = own
  const candidates =
    own.channelOrder === 'grey'
      ? GREY.map((normalisation) => made('grey', normalisation))
      : (['rgb', 'bgr'] as const).flatMap((order) => [
          ...COLOUR.map((normalisation) => made(order, order === 'rgb' ? normalisation : reversed(normalisation))),
          // The file's own mean, in both orders: it may have been subtracted before or after the channels were turned round.
          made(order, { scale, mean, std }),
          made(order, reversed({ scale, mean, std })),
        ])
  const known = new Set([keyOf(own)])
  const others = candidates.filter((candidate) => {
    const key = keyOf(candidate)
    if (known.has(key)) return false
    known.add(key)
    return true
  })
  return [
    { preprocessing: own, description: describePipeline(own), own: true },
    ...others.map((preprocessing) => ({ preprocessing, description: describePipeline(preprocessing), own: false })),
  ]
}

/**
 * Order, range and deviation in a line. Where the mean is the same for all channels and the range is a usual one, it is that of the
 * result: '-1…1' rather than '0…2 less 1'.
 */
export function describePipeline({ channelOrder, scale, mean, std, meanImage }: Preprocessing): string {
  const order = channelOrder === 'grey' ? 'grey' : channelOrder.toUpperCase()
  const [low = 0] = mean
  const shifted = meanImage === undefined && mean.every((value) => value === low) && Math.abs(low) === 1
  const range = shifted ? [-low, 255 * scale - low] : [0, 255 * scale]
  const less =
    meanImage !== undefined
      ? ' less the mean picture'
      : shifted || mean.every((value) => value === 0)
        ? ''
        : ` less ${mean.map(short).join(', ')}`
  const by = std.length > 0 ? `, divided by ${std.map(short).join(', ')}` : ''
  return `${order}, ${range.map(short).join('…')}${less}${by}`
}

function reversed({ scale, mean, std }: Normalisation): Normalisation {
  return { scale, mean: [...mean].reverse(), std: [...std].reverse() }
}

/** Equal for pipelines that give the same numbers, rounding aside. */
function keyOf({ channelOrder, scale, mean, std, meanImage }: Preprocessing): string {
  const list = (values: readonly number[], none: number): string =>
    [0, 1, 2].map((channel) => (values[channel] ?? none).toPrecision(4)).join()
  return [channelOrder, scale.toPrecision(4), list(mean, 0), list(std, 1), meanImage ?? ''].join(' ')
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)))
}
