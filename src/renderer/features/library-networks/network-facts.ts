import type { LayerPage } from '../../../shared/network/page.ts'
import type { NetworkSpec, Preprocessing } from '../../../shared/network/spec.ts'
import { formatValue } from '../../lib/format.ts'

/** The convolution whose filters look at the picture itself. */
export function firstConvolution(spec: Pick<NetworkSpec, 'layers'>): string | undefined {
  return spec.layers.find(({ type }) => type === 'conv2d')?.name
}

export function receptiveFieldText({ receptiveField }: Pick<LayerPage, 'receptiveField'>): string {
  if (!receptiveField) return 'all'
  return `${receptiveField.rows.size} × ${receptiveField.columns.size}`
}

/** One line: what happens to a picture before it enters the network. */
export function describePreprocessing(preprocessing: Preprocessing): string {
  const { resize, crop, channelOrder, scale, mean, std } = preprocessing
  const parts: string[] = [{ grey: 'grey levels', rgb: 'red, green, blue', bgr: 'blue, green, red' }[channelOrder]]
  if (resize) parts.push(`resized to ${resize.height} × ${resize.width} (${resize.mode}, ${resize.filter})`)
  if (crop) parts.push(`centre ${crop.height} × ${crop.width}`)
  parts.push(Math.abs(scale * 255 - 1) < 1e-9 ? '÷ 255' : `× ${formatValue(scale)}`)
  if (mean.length > 0) parts.push(`− ${mean.map((value) => formatValue(value)).join(', ')}`)
  if (std.length > 0) parts.push(`÷ ${std.map((value) => formatValue(value)).join(', ')}`)
  return parts.join('; ')
}
