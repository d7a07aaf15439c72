import { expect, it } from 'vitest'
import { parseDocument } from '../../../shared/experiments/index.ts'
import { withProjected } from './project-channel.ts'

it('asks for one more channel of a layer, by the same scan and rules', () => {
  const document = parseDocument({
    ...{ kind: 'top-activations', version: 1, seed: 4 },
    params: { network: 'net', dataset: 'digits', layers: ['a', 'b'], count: 5, pictureCount: 100 },
  })
  const next = withProjected(document, 'b', [1, 9], 3)
  expect(next).toEqual({
    ...document,
    params: { ...document.params, layers: ['b'], drawn: { kind: 'list', channels: [1, 3, 9] } },
  })
  expect(parseDocument(next)).toEqual(next)
})

it('does not touch what is no scan', () => {
  expect(withProjected({ kind: 'deconvnet', version: 1, seed: 0, params: {} }, 'b', [], 3)).toBeUndefined()
})
