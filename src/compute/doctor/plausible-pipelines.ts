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

/** The second with MNIST's mean and deviation; the last two with black and white exchanged. */
const GREY: readonly Normalisation[] = [
  { scale: 1 / 255, mean: [], std: [] },
  { scale: 1 / 255, mean: [0.1307], std: [0.3081] },
  { scale: 1 / 127.5, mean: [1], std: [] },
  { scale: 1, mean: [], std: [] },
  { scale: -1 / 255, mean: [-1], std: [] },
  { scale: -1, mean: [-255], std: [] },
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

/** Order, range, mean and deviation in a line. */
export function describePipeline({ channelOrder, scale, mean, std, meanImage }: Preprocessing): string {
  const order = channelOrder === 'grey' ? 'grey' : channelOrder.toUpperCase()
  const [low, high] = [0, 255 * scale]
  const range = scale < 0 && mean.length === 1 ? 'black and white exchanged, ' : ''
  const values = mean.map(short).join(', ')
  const less =
    meanImage !== undefined ? ' less the mean picture' : mean.some((value) => value !== 0) ? ` less ${values}` : ''
  const by = std.length > 0 ? `, divided by ${std.map(short).join(', ')}` : ''
  return `${order}, ${range}${short(low)}…${short(high)}${less}${by}`
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
