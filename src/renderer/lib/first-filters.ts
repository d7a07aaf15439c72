import type { LayerPage } from '../../shared/network/page.ts'

/**
 * The convolution of the picture itself that a channel of a layer belongs to: the layer, or what it only rectifies, pools or normalises.
 * Its kernels can be looked at as pictures. Undefined for every other layer.
 */
export function firstConvolution(layers: readonly LayerPage[], name: string): string | undefined {
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  for (let layer = byName.get(name); layer; layer = byName.get(layer.inputs[0] ?? '')) {
    if (layer.inputs.length !== 1) return undefined
    if (layer.type === 'conv2d') {
      const below = byName.get(layer.inputs[0] ?? '')
      const colours = below?.shape.at(-1)
      return below?.type === 'input' && (colours === 1 || colours === 3) ? layer.name : undefined
    }
    if (!KEEPS_CHANNELS.has(layer.type)) return undefined
  }
  return undefined
}

const KEEPS_CHANNELS = new Set(['relu', 'relu6', 'leaky-relu', 'max-pool', 'avg-pool', 'lrn', 'batch-norm', 'dropout'])
