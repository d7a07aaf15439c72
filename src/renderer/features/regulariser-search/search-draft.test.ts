import { expect, it } from 'vitest'
import { SearchPolicy, SearchRanges } from '../../../shared/experiments/regulariser-search.ts'
import {
  blurPeriodsOf,
  blurPeriodsText,
  newSearch,
  numberOrRangeOf,
  numberOrRangeText,
  policyPart,
  withPolicyPart,
} from './search-draft.ts'

const ranges = SearchRanges.shape.blurEvery

it.each([
  ['1, 2,4  8', [1, 2, 4, 8]],
  ['1 … 16', { low: 1, high: 16 }],
  ['2-5', { low: 2, high: 5 }],
])('takes periods of the blur as a list or a range: %s', (text, periods) => {
  expect(blurPeriodsOf(text)).toEqual(periods)
  expect(ranges.safeParse(blurPeriodsOf(blurPeriodsText(blurPeriodsOf(text)))).data).toEqual(periods)
})

it.each(['', 'often', '0', '9 … 3'])('leaves it to the schema to refuse the periods “%s”', (text) => {
  expect(ranges.safeParse(blurPeriodsOf(text)).success).toBe(false)
})

it.each([
  ['100', 100],
  ['1e8', 1e8],
  ['0,5 … 20', [0.5, 20]],
])('takes a number of a policy or its range: %s', (text, value) => {
  expect(numberOrRangeOf(text)).toEqual(value)
  expect(numberOrRangeOf(numberOrRangeText(numberOrRangeOf(text)))).toEqual(value)
})

it('changes one number of a policy; what is none is refused by the schema', () => {
  const [, policy = newSearch().ranges.policies[0]] = newSearch().ranges.policies
  if (!policy) throw new Error('there are no policies')
  const changed = withPolicyPart(policy, 'desired', '1 … 4')
  expect(SearchPolicy.parse(changed)).toMatchObject({ kind: 'progress', desired: [1, 4], maxRate: 100 })
  expect(policyPart(changed, 'desired')).toEqual([1, 4])
  expect(SearchPolicy.safeParse(withPolicyPart(policy, 'desired', 'x')).success).toBe(false)
})
