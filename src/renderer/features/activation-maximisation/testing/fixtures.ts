import type { NetworkPage } from '../../../../shared/network/page.ts'

const hash = (letter: string): string => letter.repeat(64)

/** data 4 × 4 → conv1 2 × 2 × 3 → scores 2 → softmax 2, of the classes a and b */
export const NETWORK_PAGE: NetworkPage = {
  network: {
    name: 'net',
    title: 'Small network',
    weights: hash('1'),
    source: 'built-in',
    hash: hash('2'),
    addedAt: 0,
    spec: {
      format: 'convscope-network',
      version: 1,
      name: 'net',
      title: 'Small network',
      source: '',
      preprocessing: { channelOrder: 'grey', scale: 1 / 255, mean: [], std: [] },
      classes: ['a', 'b'],
      layers: [
        { name: 'data', type: 'input', shape: [4, 4, 1] },
        { name: 'relu1', type: 'relu' },
      ],
    },
  },
  parameters: 100,
  layers: [
    { name: 'data', type: 'input', inputs: [], shape: [4, 4, 1], parameters: 0 },
    { name: 'conv1', type: 'conv2d', inputs: ['data'], shape: [2, 2, 3], parameters: 30 },
    { name: 'scores', type: 'dense', inputs: ['conv1'], shape: [2], parameters: 70 },
    { name: 'softmax', type: 'softmax', inputs: ['scores'], shape: [2], parameters: 0 },
  ],
}
