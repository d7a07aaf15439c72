import type { LayerPage } from '../../../shared/network/page.ts'
import type { NetworkSpec } from '../../../shared/network/spec.ts'

/** The convolution whose filters look at the picture itself. */
export function firstConvolution(spec: Pick<NetworkSpec, 'layers'>): string | undefined {
  return spec.layers.find(({ type }) => type === 'conv2d')?.name
}

export function receptiveFieldText({ receptiveField }: Pick<LayerPage, 'receptiveField'>): string {
  if (!receptiveField) return 'all'
  return `${receptiveField.rows.size} × ${receptiveField.columns.size}`
}
