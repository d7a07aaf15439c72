import { describe, expect, it } from 'vitest'
import { architectureNamed, knownArchitectures } from '../network/architectures/index.ts'
import { buildGraph, parseNetworkSpec } from '../network/graph.ts'
import { examineStructure } from './examine-structure.ts'

function findings(classes: string[], ...layers: Record<string, unknown>[]) {
  const spec = parseNetworkSpec({
    format: 'convscope-network',
    version: 1,
    name: 'test',
    title: 'Test',
    preprocessing: { channelOrder: 'rgb' },
    classes,
    layers: [{ name: 'input', type: 'input', shape: [8, 8, 4] }, ...layers],
  })
  return examineStructure(buildGraph(spec))
}
const codes = (...layers: Record<string, unknown>[]) => findings(['a', 'b'], ...layers).map(({ code }) => code)
const flat = { name: 'flat', type: 'flatten' }
const dense = { name: 'dense', type: 'dense', units: 2 }
const softmax = { name: 'prob', type: 'softmax' }

describe('examineStructure', () => {
  it('has nothing to say about a plain classifier', () => {
    expect(codes(flat, dense, softmax)).toEqual([])
  })

  it('compares the class list with the outputs', () => {
    expect(findings(['a', 'b', 'c'], flat, dense, softmax)).toMatchObject([
      { code: 'class-count', severity: 'warning', message: /3 class names for 2 outputs/ },
    ])
    expect(findings([], flat, dense, softmax)).toMatchObject([{ code: 'no-class-names', severity: 'note' }])
    expect(findings(['a', 'a'], flat, dense, softmax)).toMatchObject([{ code: 'class-repeated' }])
  })

  it('sees a missing and a doubled softmax', () => {
    expect(codes(flat, dense)).toEqual(['softmax-missing'])
    expect(codes(flat, dense, softmax, { name: 'again', type: 'softmax' })).toEqual(['softmax-doubled'])
    const between = { name: 'drop', type: 'dropout', rate: 0.5 }
    expect(codes(flat, dense, softmax, between, { name: 'again', type: 'softmax' })).toEqual(['softmax-doubled'])
  })

  it('tells of groups, but not of depthwise convolutions', () => {
    const grouped = { name: 'conv', type: 'conv2d', filters: 4, kernel: [3, 3], groups: 2 }
    expect(codes(grouped, flat, dense, softmax)).toEqual(['grouped-convolutions'])
    expect(codes({ ...grouped, groups: 4 }, flat, dense, softmax)).toEqual([])
  })

  it('tells which poolings leave out rows', () => {
    const pool = { name: 'pool', type: 'max-pool', kernel: [3, 3], stride: [2, 2] }
    const [finding] = findings(['a', 'b'], pool, flat, dense, softmax)
    expect(finding).toMatchObject({ code: 'pooling-leaves-out', layer: 'pool' })
    expect(finding?.message).toMatch(/does not read the last 1 row or column of its 8×8 input/)
    expect(codes({ ...pool, rounding: 'ceil' }, flat, dense, softmax)).toEqual([])
    expect(codes({ ...pool, kernel: [2, 2] }, flat, dense, softmax)).toEqual([])
  })

  it('suspects the convention of normalisation by the size of alpha', () => {
    const lrn = { name: 'norm', type: 'lrn', size: 5, alpha: 1e-4, beta: 0.75 }
    const about = (changes: object) => codes({ ...lrn, ...changes }, flat, dense, softmax)
    expect(about({})).toEqual([])
    expect(about({ alpha: 2e-5 })).toEqual(['lrn-convention'])
    expect(about({ convention: 'krizhevsky' })).toEqual(['lrn-convention'])
    expect(about({ convention: 'krizhevsky', alpha: 2e-5 })).toEqual([])
    // As printed by Krizhevsky et al.
    expect(about({ convention: 'krizhevsky', k: 2 })).toEqual([])
  })

  it('warns of none of the known architectures', () => {
    for (const { name } of knownArchitectures) {
      const found = examineStructure(buildGraph(architectureNamed(name).spec()))
      expect([name, found.filter(({ severity }) => severity !== 'note')]).toEqual([name, []])
      expect(found.map(({ code }) => code)).not.toContain('lrn-convention')
    }
  })
})
