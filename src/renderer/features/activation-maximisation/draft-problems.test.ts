import { describe, expect, it } from 'vitest'
import { draftProblems } from './draft-problems.ts'
import { draftFor, type MaximisationDraft } from './maximisation-draft.ts'
import { NETWORK_PAGE } from './testing/fixtures.ts'

const draft = draftFor({ layer: 'conv1', row: '1', column: '0' }, NETWORK_PAGE, undefined)
const problems = (
  settings: Partial<MaximisationDraft['settings']>,
  change: Partial<MaximisationDraft> = {},
): Record<string, string> =>
  Object.fromEntries(draftProblems({ ...draft, ...change, settings: { ...draft.settings, ...settings } }, NETWORK_PAGE))

describe('the form says at the field what cannot be', () => {
  it('nothing of a sound draft', () => {
    expect(problems({})).toEqual({})
  })

  it.each([
    [{ normPercentile: 120 }, 'normPercentile', /^Small norm lies in 0 … 100 %$/],
    [{ contributionPercentile: -1 }, 'contributionPercentile', /0 … 100/],
    [{ decay: 1 }, 'decay', /0 … 0\.999/],
    [{ blurSigma: 4 }, 'blurSigma', /wider than the picture of 4 × 4/],
    [{ policy: { kind: 'constant', rate: 0 } }, 'policy.rate', /above 0/],
    [{ iterations: 0 }, 'iterations', /1 … 100/],
    [{ diversityWeight: 1 }, 'diversityWeight', /two or more pictures/],
    [{ decorrelatedColour: true }, 'decorrelatedColour', /grey/],
  ] as const)('%j', (settings, field, message) => {
    expect(problems(settings)).toEqual({ [field]: expect.stringMatching(message) as string })
  })

  it('units that are not there', () => {
    expect(problems({}, { channel: 3 })).toEqual({ channel: 'conv1 has no channel 3: there are 0 to 2' })
    expect(problems({}, { position: [0, 2] })).toEqual({ column: 'conv1 has no column 2: there are 0 to 1' })
  })
})
