import { expect, it } from 'vitest'
import { deconvnetQuery, documentTitle, fileNameOf } from './run-texts.ts'

const document = {
  kind: 'deconvnet',
  version: 1,
  params: {
    network: 'mnist-convnet',
    picture: { dataset: 'mnist', split: 'test', index: 7 },
    layer: 'conv2',
    units: { kind: 'list', units: [{ channel: 17, position: [3, 4] }] },
  },
}

it('leads from a document back to the place where it was made', () => {
  expect(deconvnetQuery(document)).toMatchObject({
    ...{ network: 'mnist-convnet', dataset: 'mnist', split: 'test', index: '7', layer: 'conv2' },
    ...{ channel: '17', row: '3', column: '4', relu: 'deconvnet', seed: 'single' },
  })
  expect(deconvnetQuery({ kind: 'train-classifier' })).toBeUndefined()
})

it('names what a document is about', () => {
  expect(documentTitle(document)).toBe('mnist-convnet / conv2: unit 17 at 3, 4 on mnist test 7')
  const strongest = { ...document, params: { ...document.params, units: { kind: 'strongest', count: 9 } } }
  expect(documentTitle(strongest)).toBe('mnist-convnet / conv2: 9 strongest on mnist test 7')
})

it('names files', () => {
  const sha256 = '0'.repeat(64)
  expect(fileNameOf({ name: 'projections', kind: 'array', sha256, bytes: 1 })).toBe('projections.npy')
})
