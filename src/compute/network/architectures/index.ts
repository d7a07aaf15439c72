/** Published networks with their exact geometry and preprocessing, by name. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { suggestNames } from '../../../shared/nearest-names.ts'
import { alexnet, caffenet } from './alexnet.ts'
import type { KnownArchitecture } from './architecture.ts'
import { cifarAlexnet } from './cifar-alexnet.ts'
import { googlenet, torchvisionGooglenet } from './googlenet.ts'
import { lenet5 } from './lenet-5.ts'
import { mnistConvnetArchitecture } from './mnist-convnet.ts'
import { resnet18, resnet50 } from './resnet.ts'
import { ae400, mnistSoftmax, n100, n123, n200 } from './szegedy-digits.ts'
import { torchvisionAlexnet } from './torchvision-alexnet.ts'
import { torchvisionVgg16, vgg16, vggM } from './vgg.ts'
import { zfnet } from './zfnet.ts'

export type { ArchitectureOptions, KnownArchitecture } from './architecture.ts'

export const knownArchitectures: readonly KnownArchitecture[] = [
  mnistConvnetArchitecture,
  lenet5,
  mnistSoftmax,
  n100,
  n200,
  n123,
  ae400,
  cifarAlexnet,
  alexnet,
  caffenet,
  zfnet,
  vggM,
  vgg16,
  googlenet,
  torchvisionAlexnet,
  torchvisionVgg16,
  torchvisionGooglenet,
  resnet18,
  resnet50,
]

/** The architecture of that name. @throws ConvScopeError 'not-found' with the names there are */
export function architectureNamed(name: string): KnownArchitecture {
  const found = knownArchitectures.find((architecture) => architecture.name === name)
  if (found === undefined) {
    throw new ConvScopeError('not-found', `There is no known architecture "${name}".`, {
      remedy: suggestNames(
        name,
        knownArchitectures.map((known) => known.name),
        'There are',
      ),
    })
  }
  return found
}
