import { expect, it } from 'vitest'
import { networkLabels } from './network-labels.ts'

it('tells networks of the same title apart', () => {
  const labels = networkLabels([
    { name: 'a', title: 'MNIST convnet' },
    { name: 'b', title: 'AlexNet' },
    { name: 'c', title: 'MNIST convnet' },
  ])
  expect([...labels]).toEqual([
    ['a', 'MNIST convnet (a)'],
    ['b', 'AlexNet'],
    ['c', 'MNIST convnet (c)'],
  ])
})
