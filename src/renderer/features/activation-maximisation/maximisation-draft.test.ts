import { describe, expect, it } from 'vitest'
import { activationMaximisation, PUBLISHED_SETTINGS } from '../../../shared/experiments/activation-maximisation.ts'
import type { NetworkPage } from '../../../shared/network/page.ts'
import {
  branchOf,
  classesOf,
  defaultLayer,
  documentOf,
  draftFor,
  draftOfRun,
  queryOf,
  settingsAt,
} from './maximisation-draft.ts'
import { changedSettings, changeText, settingAt, withSetting } from './setting-values.ts'
import { NETWORK_PAGE } from './testing/fixtures.ts'

const page: NetworkPage = NETWORK_PAGE
const draft = draftFor({ layer: 'conv1', channel: '2', row: '1', column: '0' }, page, undefined)
const published = PUBLISHED_SETTINGS[2]

describe('the draft', () => {
  it('begins with the scores, the published blur preset, and one start', () => {
    expect(draftFor({}, page, undefined)).toMatchObject({ layer: 'scores', channel: 0, position: null, seeds: 1 })
    expect(draftFor({}, page, undefined).settings).toEqual(published)
    expect(defaultLayer(page.layers)?.name).toBe('scores')
  })

  it('keeps what an address names', () => {
    expect(queryOf(draft)).toEqual({ network: 'net', layer: 'conv1', channel: '2', row: '1', column: '0' })
    expect(draftFor({ layer: 'conv1', channel: '99', row: '7', column: '0' }, page, draft)).toMatchObject({
      channel: 99,
      position: [7, 0],
    })
    expect(draftFor({ layer: 'nothing' }, page, draft).layer).toBe('scores')
  })

  it('knows classes where channels are classes', () => {
    expect(classesOf(page, 'scores')).toEqual(['a', 'b'])
    expect(classesOf(page, 'conv1')).toEqual([])
  })

  it.each(['unit', 'presets', 'layer'] as const)('makes a valid document of %s', (extent) => {
    const document = documentOf(draft, extent)
    const { params } = activationMaximisation.document.parse(JSON.parse(JSON.stringify(document)))
    expect(params.settings).toHaveLength(extent === 'presets' ? 4 : 1)
    expect(params.seeds).toBe(extent === 'presets' ? 9 : 1)
    expect(params.targets[0]?.units.kind).toBe(extent === 'layer' ? 'all' : 'list')
  })

  it('is found again in the run that it became', () => {
    expect(draftOfRun(documentOf(draft))).toEqual(draft)
    const presets = draftOfRun(documentOf(draft, 'presets'))
    expect(presets).toMatchObject({ layer: 'conv1', channel: 2, seeds: 9 })
    expect(presets.settings).toBeUndefined()
    const layer = draftOfRun(documentOf(draft, 'layer'))
    expect(layer).toMatchObject({ layer: 'conv1', settings: draft.settings })
    expect(layer.channel).toBeUndefined()
  })
})

describe('settings', () => {
  it('are read and changed by their paths', () => {
    const changed = withSetting(withSetting(draft.settings, 'decay', 0.2), 'policy.rate', 7)
    expect([settingAt(changed, 'decay'), settingAt(changed, 'policy.rate')]).toEqual([0.2, 7])
    expect(withSetting(changed, 'policy.desired', 3)).toEqual(changed)
    expect(changedSettings(draft.settings, changed)).toEqual([
      { path: 'decay', value: 0.2 },
      { path: 'policy.rate', value: 7 },
    ])
  })

  it('of a run are those of its document with the changes up to an iteration', () => {
    const changes = [
      { step: 10, path: 'decay', value: 0.1 },
      { step: 20, path: 'restore', value: 0 },
      { step: 30, path: 'decay', value: 0.3 },
    ] as const
    const { params } = documentOf(draft)
    expect([5, 10, 29, 30].map((step) => settingsAt(params, changes, step)[0]?.decay)).toEqual([0.0001, 0.1, 0.1, 0.3])
  })

  it('change for all, or for one of several', () => {
    const { params } = documentOf(draft, 'presets')
    const changes = [
      { step: 10, path: 'decay', value: 0.1 },
      { step: 20, path: 'decay', value: 0.2, setting: 1 },
    ] as const
    expect(settingsAt(params, changes).map(({ decay }) => decay)).toEqual([0.1, 0.2, 0.1, 0.1])
    expect(changeText(changes[1], params.settings)).toBe('Yosinski 2: decay: Decay θ 0.200')
    expect(changeText(changes[0], params.settings)).toBe('Decay θ 0.100')
  })
})

it('branches with the changes before the iteration, and the present sliders from there on', () => {
  const document = documentOf(draft)
  const changes = [
    { step: 10, path: 'decay', value: 0.1 },
    { step: 50, path: 'blurSigma', value: 2 },
  ] as const
  const wanted = settingsAt(document.params, changes).map((settings) => withSetting(settings, 'policy.rate', 5))
  const branch = branchOf(document, changes, wanted, { run: 'r1', step: 40 })
  expect(branch.params.changes).toEqual([
    { step: 10, path: 'decay', value: 0.1 },
    { step: 40, path: 'blurSigma', value: 2 },
    { step: 40, path: 'policy.rate', value: 5 },
  ])
  expect(branch.params.parent).toEqual({ run: 'r1', step: 40 })
  expect(activationMaximisation.document.safeParse(branch).success).toBe(true)
  expect(settingsAt(branch.params, branch.params.changes)).toEqual(wanted)
})
