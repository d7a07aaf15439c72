import { describe, expect, it } from 'vitest'
import { assign } from './assignment.ts'

const document = {
  kind: 'deconvnet',
  version: 1,
  params: { layer: 'conv1', units: { kind: 'list', units: [{ channel: 1 }] } },
  seed: 3,
}

describe('assign', () => {
  it('changes parameters and leaves the given document alone', () => {
    const before = structuredClone(document)
    expect(assign(document, 'layer=conv2')).toMatchObject({ params: { layer: 'conv2' } })
    expect(document).toEqual(before)
  })

  it.each([
    ['seed=9', { seed: 9 }],
    ['params.layer=conv2', { params: { layer: 'conv2' } }],
    ['units.units.0.channel=5', { params: { units: { units: [{ channel: 5 }] } } }],
    ['units.units.1={"channel":2}', { params: { units: { units: [{ channel: 1 }, { channel: 2 }] } } }],
    ['units={"kind":"all"}', { params: { units: { kind: 'all' } } }],
    ['rules.relu=guided', { params: { rules: { relu: 'guided' } } }],
    ['network=a=b', { params: { network: 'a=b' } }],
  ])('understands %s', (assignment, expected) => {
    expect(assign(document, assignment)).toMatchObject(expected)
  })

  it.each(['layer', '=3', 'layer.name=x', 'units.units.7=1', '__proto__.x=1', 'a..b=1'])('refuses %s', (assignment) => {
    expect(() => assign(document, assignment)).toThrow(expect.objectContaining({ code: 'invalid-input' }))
  })
})
