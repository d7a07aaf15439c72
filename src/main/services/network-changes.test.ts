import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LayerPage, NetworkRecord } from '../../shared/network/page.ts'
import { NetworkSpec } from '../../shared/network/spec.ts'
import { networkHash } from '../project/networks.ts'
import { openProject, type Project } from '../project/project.ts'
import { temporaryFolder } from '../project/testing/samples.ts'
import { changeNetwork, renameNetwork } from './network-changes.ts'

const LAYERS: LayerPage[] = [
  { name: 'input', type: 'input', inputs: [], shape: [4, 4, 3], parameters: 0 },
  { name: 'out', type: 'dense', inputs: ['input'], shape: [2], parameters: 98 },
]
const weights = 'a'.repeat(64)

let project: Project
let remove: () => Promise<void>

beforeEach(async () => {
  const place = await temporaryFolder()
  remove = place.remove
  project = await openProject(place.folder, { create: true })
  add('net', 'imported')
})
afterEach(async () => {
  await project.close()
  await remove()
})

function add(name: string, source: NetworkRecord['source']): void {
  const spec = NetworkSpec.parse({
    format: 'convscope-network',
    version: 1,
    name,
    title: 'A network',
    preprocessing: { channelOrder: 'rgb' },
    layers: [
      { name: 'input', type: 'input', shape: [4, 4, 3] },
      { name: 'flat', type: 'flatten' },
      { name: 'out', type: 'dense', units: 2 },
    ],
  })
  const testError = { percent: 1, dataset: 'mnist', count: 10 }
  const hash = networkHash({ spec, weights })
  project.networks.save({ name, title: 'A network', spec, weights, source, testError, hash, addedAt: 1 })
}

const pipeline = { channelOrder: 'bgr', scale: 1, mean: [1, 2, 3], std: [] } as const

describe('changing a network', () => {
  it('saves it with another hash, and forgets what was measured with the old pipeline', () => {
    const before = project.networks.get('net')
    const named = changeNetwork({ name: 'net', classes: ['cat', 'dog'], title: 'Pets' }, LAYERS, project)
    expect(named).toMatchObject({ title: 'Pets', testError: { percent: 1 } })
    const changed = changeNetwork(
      { name: 'net', preprocessing: { ...pipeline, mean: [1, 2, 3], std: [] } },
      LAYERS,
      project,
    )
    expect(new Set([before.hash, named.hash, changed.hash]).size).toBe(3)
    const after = project.networks.get('net')
    expect(after).toMatchObject({ hash: changed.hash, weights, spec: { classes: ['cat', 'dog'], title: 'Pets' } })
    expect(after.spec.preprocessing).toEqual(pipeline)
    expect(after.testError).toBeUndefined()
  })

  it.each([
    [{ channelOrder: 'grey' }, /3 channels/],
    [{ mean: [1, 2] }, /2 means/],
    [{ std: [1, 2] }, /2 deviations/],
    [{ crop: { mode: 'centre', height: 5, width: 4 } }, /5 × 4 pixels, and the network takes 4 × 4/],
    [{ resize: { mode: 'exact', height: 2, width: 2, filter: 'nearest' } }, /2 × 2 pixels/],
  ] as const)('refuses a pipeline that does not fit: %j', (change, message) => {
    const preprocessing = {
      ...pipeline,
      ...change,
      mean: [...('mean' in change ? change.mean : [])],
      std: [...('std' in change ? change.std : [])],
    }
    expect(() => changeNetwork({ name: 'net', preprocessing }, LAYERS, project)).toThrow(message)
  })

  it('refuses a list of classes of another length', () => {
    expect(() => changeNetwork({ name: 'net', classes: ['cat'] }, LAYERS, project)).toThrow(
      '1 class names for 2 outputs',
    )
    expect(changeNetwork({ name: 'net', classes: [] }, LAYERS, project).name).toBe('net')
  })

  it('renames it: the same hash, the new name in everything that is said of it', () => {
    const { hash } = project.networks.get('net')
    renameNetwork({ name: 'net', to: 'other' }, project)
    expect(project.networks.has('net')).toBe(false)
    expect(project.networks.get('other')).toMatchObject({ hash, name: 'other', spec: { name: 'other' } })
    renameNetwork({ name: 'other', to: 'Other' }, project)
    expect(project.networks.get('other').name).toBe('Other')
    expect(changeNetwork({ name: 'Other', title: 'T' }, LAYERS, project).hash).not.toBe(hash)
    add('net', 'trained')
    expect(() => renameNetwork({ name: 'net', to: 'OTHER' }, project)).toThrow('already has')
    expect(() => renameNetwork({ name: 'net', to: 'mnist-convnet' }, project)).toThrow('already has')
  })

  it('leaves built-in networks alone', () => {
    add('shipped', 'built-in')
    expect(() => changeNetwork({ name: 'shipped', title: 'Mine' }, LAYERS, project)).toThrow('comes with the program')
    expect(() => renameNetwork({ name: 'shipped', to: 'mine' }, project)).toThrow('comes with the program')
  })
})
