/** Activations of Keras: functions by name, and layers. */
import { UnsupportedOperator, type LayerDraft } from '../assembly/network-assembly.ts'
import { numberOf } from './settings.ts'
import type { Json } from './topology.ts'

/** The layer of an activation function; undefined where it changes nothing. @throws UnsupportedOperator for one that is not there */
export function activationDraft(name: string, config: Json): LayerDraft | undefined {
  const layer = activationLayer(name, config)
  if (layer !== undefined) return layer
  switch (name) {
    case 'linear':
    case '':
      return undefined
    case 'relu':
      return { type: 'relu' }
    case 'relu6':
      return { type: 'relu6' }
    case 'leaky_relu':
      return { type: 'leaky-relu', slope: 0.2 }
    case 'elu':
      return { type: 'elu' }
    case 'silu':
    case 'swish':
      return { type: 'silu' }
    case 'gelu':
      return { type: 'gelu' }
    case 'sigmoid':
      return { type: 'sigmoid' }
    case 'tanh':
      return { type: 'tanh' }
    case 'softmax':
      return { type: 'softmax' }
    default:
      throw new UnsupportedOperator(`the activation ${name}`)
  }
}

/** The layer of an activation class; undefined for classes that are none. */
export function activationLayer(className: string, config: Json): LayerDraft | undefined {
  switch (className) {
    case 'ReLU':
      return rectifier(config)
    case 'LeakyReLU':
      return { type: 'leaky-relu', slope: numberOf(config, 'negative_slope', numberOf(config, 'alpha', 0.3)) }
    case 'ELU':
      return { type: 'elu', alpha: numberOf(config, 'alpha', 1) }
    case 'Softmax':
      return softmax(config)
    default:
      return undefined
  }
}

function rectifier(config: Json): LayerDraft {
  const slope = numberOf(config, 'negative_slope', 0)
  const threshold = numberOf(config, 'threshold', 0)
  const isBounded = config['max_value'] !== undefined && config['max_value'] !== null
  if (threshold !== 0) throw new UnsupportedOperator(`a threshold of ${threshold}`)
  if (!isBounded) return slope === 0 ? { type: 'relu' } : { type: 'leaky-relu', slope }
  const most = numberOf(config, 'max_value', 6)
  if (most === 6 && slope === 0) return { type: 'relu6' }
  throw new UnsupportedOperator(`a maximum of ${most} with a slope of ${slope}`)
}

function softmax(config: Json): LayerDraft {
  const axis = config['axis'] ?? -1
  const last: unknown = Array.isArray(axis) && axis.length === 1 ? axis[0] : axis
  // Of a vector 1 is the last axis, too; of a map it is not, and shapes tell.
  if (last === -1 || last === 1 || last === 3) return { type: 'softmax' }
  throw new UnsupportedOperator(`softmax over the axis ${JSON.stringify(axis)}`)
}
