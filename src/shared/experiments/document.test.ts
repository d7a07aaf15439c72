import { describe, expect, it } from 'vitest'
import { parseDocument } from './index.ts'

const document = {
  kind: 'deconvnet',
  version: 1,
  params: { network: 'mnist-convnet', picture: { dataset: 'mnist', split: 'test', index: 0 }, layer: 'conv2' },
}
const failureOf = (value: unknown): unknown => {
  try {
    return parseDocument(value)
  } catch (error) {
    return error
  }
}

describe('parseDocument', () => {
  it('fills in the defaults', () => {
    expect(parseDocument(document)).toMatchObject({
      seed: 0,
      params: { units: { kind: 'strongest', count: 64 }, seed: 'single', scale: 'per-picture' },
    })
  })

  it.each([
    ['a field that the kind does not have', { ...document, changes: [] }, 'invalid-input', /changes/],
    ['a parameter that the kind does not have', withParam({ colour: 'red' }), 'invalid-input', /colour/],
    ['a value of another type, by its place', withParam({ layer: 7 }), 'invalid-input', /params\.layer/],
    ['what is no document', [], 'invalid-input', /not an experiment document/],
    ['a kind that is not known', { ...document, kind: 'toString' }, 'unsupported', /no experiment of kind "toString"/],
    ['a newer version', { ...document, version: 2 }, 'unsupported', /knows version 1/],
  ])('refuses %s', (_, value, code, message) => {
    expect(failureOf(value)).toMatchObject({ code, message: expect.stringMatching(message) as string })
  })
})

function withParam(change: object): object {
  return { ...document, params: { ...document.params, ...change } }
}
