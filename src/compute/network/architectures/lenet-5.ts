/**
 * LeNet-5 (LeCun et al. 1998, section II-B) in its usual present-day reading: averaging without coefficients, C3 connected to all maps,
 * plain tanh, a softmax in place of the radial basis functions. 32×32 pixels are a digit with two of background around it.
 */
import { describeArchitecture, type LayerInput } from './architecture.ts'
import { DIGITS } from './digit-classes.ts'

export const lenet5 = describeArchitecture({
  name: 'lenet-5',
  title: 'LeNet-5',
  source:
    'LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition (1998); averaging without coefficients, full C3, tanh, softmax',
  parameters: 61_706,
  inputShape: [28, 28, 1],
  classes: DIGITS,
  // Background -0.1, ink 1.175 (section III-A), so that the mean is about 0 and the variance about 1.
  preprocessing: ([, , channels]) => ({
    channelOrder: channels === 1 ? 'grey' : 'rgb',
    scale: 1.275 / 255,
    mean: Array.from({ length: channels }, () => 0.1),
  }),
  layers: (outputs) => [
    { name: 'background', type: 'padding', amounts: [2, 2, 2, 2], value: -0.1 },
    { name: 'c1', type: 'conv2d', filters: 6, kernel: [5, 5] },
    { name: 'tanh1', type: 'tanh' },
    average('s2'),
    { name: 'c3', type: 'conv2d', filters: 16, kernel: [5, 5] },
    { name: 'tanh3', type: 'tanh' },
    average('s4'),
    { name: 'c5', type: 'conv2d', filters: 120, kernel: [5, 5] },
    { name: 'tanh5', type: 'tanh' },
    { name: 'flatten', type: 'flatten' },
    { name: 'f6', type: 'dense', units: 84 },
    { name: 'tanh6', type: 'tanh' },
    { name: 'output', type: 'dense', units: outputs },
    { name: 'softmax', type: 'softmax' },
  ],
})

function average(name: string): LayerInput {
  return { name, type: 'avg-pool', kernel: [2, 2], stride: [2, 2] }
}
