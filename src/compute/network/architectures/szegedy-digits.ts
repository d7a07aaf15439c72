/**
 * The digit networks of Szegedy et al. (2013, section 4, tables 1 and 3) without convolutions: a linear softmax, sigmoid networks, and
 * the classifier on the code of an autoencoder. Pixels are 0…1.
 */
import { describeArchitecture, type KnownArchitecture, type LayerInput } from './architecture.ts'
import { DIGITS } from './digit-classes.ts'

const SOURCE = 'Szegedy et al.: Intriguing properties of neural networks (arXiv 1312.6199), section 4'

export const mnistSoftmax = digitNetwork({
  name: 'mnist-softmax',
  title: 'Softmax on pixels',
  parameters: 7_850,
  hidden: [],
})
export const n100 = sigmoidNetwork('n100-100-10', 'N100-100-10', [100, 100], 89_610)
export const n200 = sigmoidNetwork('n200-200-10', 'N200-200-10', [200, 200], 199_210)
export const n123 = sigmoidNetwork('n123-456-10', 'N123-456-10', [123, 456], 157_669)
/** Its encoder is learned as that of a sparse autoencoder and then left as it is. */
export const ae400 = digitNetwork({
  name: 'ae400-10',
  title: 'AE400-10',
  parameters: 318_010,
  hidden: [400],
})

function sigmoidNetwork(name: string, title: string, hidden: readonly number[], parameters: number): KnownArchitecture {
  return digitNetwork({ name, title, parameters, hidden })
}

interface Facts {
  readonly name: string
  readonly title: string
  readonly parameters: number
  /** Units of the sigmoid layers. */
  readonly hidden: readonly number[]
}

function digitNetwork({ name, title, parameters, hidden }: Facts): KnownArchitecture {
  return describeArchitecture({
    name,
    title,
    source: SOURCE,
    parameters,
    inputShape: [28, 28, 1],
    classes: DIGITS,
    preprocessing: ([, , channels]) => ({ channelOrder: channels === 1 ? 'grey' : 'rgb', scale: 1 / 255 }),
    layers: (outputs) => [
      { name: 'flatten', type: 'flatten' },
      ...hidden.flatMap((units, index): LayerInput[] => [
        { name: `dense${index + 1}`, type: 'dense', units },
        { name: `sigmoid${index + 1}`, type: 'sigmoid' },
      ]),
      { name: `dense${hidden.length + 1}`, type: 'dense', units: outputs },
      { name: 'softmax', type: 'softmax' },
    ],
  })
}
