import { expect, it } from 'vitest'
import type { RunRecord } from '../../../shared/runs.ts'
import type { ContractClient } from '../../../shared/rpc/client.ts'
import { branchOfRun, branchRows, loadFamily } from './branch-tree.ts'
import { branchOf, documentOf, draftFor, type MaximisationDocument } from './maximisation-draft.ts'
import { withSetting } from './setting-values.ts'
import { NETWORK_PAGE } from './testing/fixtures.ts'

const draft = draftFor({}, NETWORK_PAGE, undefined)
const first = documentOf(draft)

function record(id: string, document: MaximisationDocument, createdAt: number, title?: string): RunRecord {
  return {
    ...{ id, kind: 'activation-maximisation', title: title ?? 'net: scores/0 by Yosinski 3: blur', createdAt },
    document: JSON.parse(JSON.stringify(document)),
    ...{ documentHash: 'e'.repeat(64), state: 'done', outputs: [] },
  }
}
const branched = (parent: string, step: number, decay: number): MaximisationDocument =>
  branchOf(first, [], [withSetting(draft.settings, 'decay', decay)], { run: parent, step })

const runs = [
  record('a', first, 1),
  record('late', branched('a', 90, 0.5), 2),
  record('early', branched('a', 10, 0.4), 3, 'My favourite'),
  record('grandchild', branched('early', 40, 0.1), 4),
  record('stranger', first, 5),
]
const client = {
  runs: {
    show: async ({ id }: { id: string }) => {
      const found = runs.find((run) => run.id === id)
      if (!found) throw Object.assign(new Error(id), { data: { code: 'not-found', message: id } })
      return found
    },
    list: async ({ search }: { search: string }) => ({
      total: 0,
      runs: runs.filter(({ id, document }) => id === search || JSON.stringify(document).includes(`"${search}"`)),
      problems: [],
    }),
  },
} as unknown as ContractClient
const family = (id: string): Promise<string[]> => {
  const run = runs.find((candidate) => candidate.id === id) ?? record(id, branched('gone', 5, 0.2), 9)
  return loadFamily(client, run, new AbortController().signal).then((found) =>
    branchRows(found).map(({ id: name, depth }) => `${'-'.repeat(depth)}${name}`),
  )
}

it.each(['a', 'grandchild', 'late'])('finds the whole family from %s', async (id) => {
  expect(await family(id)).toEqual(['a', '-early', '--grandchild', '-late'])
})

it('begins with the run itself where its parent is gone', async () => {
  expect(await family('orphan')).toEqual(['orphan'])
})

it('says what differs from the parent, or the name that was given', () => {
  expect(runs.map((run) => branchOfRun(run)?.label)).toEqual([
    'Yosinski 3: blur',
    'Decay θ 0.500',
    'My favourite',
    'Decay θ 0.100',
    'Yosinski 3: blur',
  ])
})
