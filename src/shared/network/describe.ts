/** Words for what a network does to its pictures, and names for what is imported: the same in the window and on the command line. */
import type { Preprocessing } from './spec.ts'

export interface PreprocessingStep {
  readonly title: string
  /** Values, with the filter's name where pixels are resampled. */
  readonly text: string
}

const FILTERS = {
  caffe: 'Caffe (bilinear, align corners)',
  'opencv-linear': 'OpenCV (bilinear)',
  'pil-bilinear': 'PIL (bilinear, antialiased)',
  nearest: 'nearest neighbour',
} as const satisfies Record<NonNullable<Preprocessing['resize']>['filter'], string>

const CHANNELS = { grey: 'grey levels', rgb: 'red, green, blue', bgr: 'blue, green, red' } as const

export const RESIZE_FILTERS: readonly { value: keyof typeof FILTERS; label: string }[] = (
  Object.keys(FILTERS) as (keyof typeof FILTERS)[]
).map((value) => ({ value, label: FILTERS[value] }))

/** What happens to a picture of bytes before it enters the network, in order. */
export function preprocessingSteps(preprocessing: Preprocessing): PreprocessingStep[] {
  const { resize, crop, channelOrder, scale, mean, meanImage, std } = preprocessing
  const steps: PreprocessingStep[] = []
  if (resize) {
    const text =
      resize.mode === 'exact'
        ? `to ${resize.height} × ${resize.width}`
        : `short side to ${Math.min(resize.height, resize.width)}`
    steps.push({ title: 'Resize', text: `${text}, ${FILTERS[resize.filter]}` })
  }
  if (crop) steps.push({ title: 'Crop', text: `centre ${crop.height} × ${crop.width}` })
  steps.push({ title: 'Channels', text: CHANNELS[channelOrder] })
  steps.push({ title: 'Scale', text: Math.abs(scale * 255 - 1) < 1e-9 ? '÷ 255' : `× ${numberText(scale)}` })
  const averages = mean.map(numberText).join(', ')
  if (meanImage !== undefined)
    steps.push({ title: 'Mean', text: `− mean picture${averages === '' ? '' : ` (averages ${averages})`}` })
  else if (mean.length > 0) steps.push({ title: 'Mean', text: `− ${averages}` })
  if (std.length > 0) steps.push({ title: 'Deviation', text: `÷ ${std.map(numberText).join(', ')}` })
  return steps
}

/** With up to six significant digits and a true minus sign. */
function numberText(value: number): string {
  return String(Number(value.toPrecision(6))).replace('-', '\u2212')
}

/** A library name made of a file's name: `VGG 16 (final).caffemodel` → `VGG-16-final`. */
export function suggestNetworkName(fileName: string): string {
  const stem = fileName.replace(/(\.weights)?\.[a-z0-9]{1,12}$/i, '')
  const name = stem
    .replaceAll(/[^a-z0-9._-]+/gi, '-')
    .replace(/^[._-]+/, '')
    .slice(0, 64)
    .replace(/[._-]+$/, '')
  return name === '' ? 'network' : name
}
