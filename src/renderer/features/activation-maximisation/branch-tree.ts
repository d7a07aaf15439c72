/** Runs that descend from one another: which there are, and how they are listed. */
import { activationMaximisation } from '../../../shared/experiments/activation-maximisation.ts'
import type { RunRecord, RunState } from '../../../shared/runs.ts'
import { reportOf } from '../../lib/report.ts'
import type { useClient } from '../../rpc/use-client.ts'
import { changeText } from './setting-values.ts'

/** More runs of one family are not looked for. */
export const MOST_BRANCHES = 60

export interface Branch {
  readonly id: string
  /** The name that the user gave, or what differs from the parent. */
  readonly label: string
  readonly state: RunState
  readonly parent: { readonly run: string; readonly step: number } | undefined
  /** The first of its pictures; undefined before its end. */
  readonly picture: string | undefined
  readonly createdAt: number
}

export interface BranchRow extends Branch {
  /** 0 for the run that all descend from. */
  readonly depth: number
}

/** @returns undefined for a run of another kind */
export function branchOfRun(run: RunRecord): Branch | undefined {
  const document = activationMaximisation.document.safeParse(run.document).data
  if (!document) return undefined
  const { params } = document
  const { parent } = params
  const changes = params.changes.filter(({ step }) => step === parent?.step)
  const text = changes.map((change) => changeText(change, params.settings)).join(', ')
  const isNamed = run.title !== activationMaximisation.describe(params)
  const [only, ...others] = params.settings
  const settings = others.length > 0 ? `${params.settings.length} settings` : (only?.name ?? '')
  const otherwise = parent ? text || 'the same settings' : settings
  return {
    id: run.id,
    label: isNamed ? run.title : otherwise,
    state: run.state,
    parent,
    picture: run.outputs.find(({ kind, name }) => kind === 'picture' && name.startsWith('unit-'))?.sha256,
    createdAt: run.createdAt,
  }
}

/** Parents before their branches, these by the iteration where they leave and then by age. */
export function branchRows(branches: readonly Branch[]): BranchRow[] {
  const known = new Set(branches.map(({ id }) => id))
  const place = ({ parent, createdAt }: Branch): readonly [number, number] => [parent?.step ?? -1, createdAt]
  const ordered = branches.toSorted((a, b) => place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1])
  const rowsBelow = (parent: string | undefined, depth: number): BranchRow[] =>
    ordered
      .filter((branch) => (branch.parent && known.has(branch.parent.run) ? branch.parent.run : undefined) === parent)
      .flatMap((branch) => [{ ...branch, depth }, ...rowsBelow(branch.id, depth + 1)])
  return rowsBelow(undefined, 0)
}

/** The run, all that it descends from, and all that descend from those; runs that were removed are left out. */
export async function loadFamily(
  client: ReturnType<typeof useClient>,
  run: RunRecord,
  signal: AbortSignal,
): Promise<Branch[]> {
  const found = new Map<string, Branch>()
  const add = (record: RunRecord): Branch | undefined => {
    const branch = branchOfRun(record)
    if (branch && record.deletedAt === undefined) found.set(branch.id, branch)
    return branch
  }
  let oldest = add(run)
  while (oldest?.parent && !found.has(oldest.parent.run) && found.size < MOST_BRANCHES) {
    const record = await showIfThere(client, oldest.parent.run, signal)
    oldest = record && add(record)
  }
  // A branch's document names its parent: that is what the search finds.
  for (const id of found.keys()) {
    if (found.size >= MOST_BRANCHES) break
    const { runs } = await client.runs.list(
      { kind: 'activation-maximisation', search: id, offset: 0, limit: MOST_BRANCHES },
      { signal },
    )
    for (const { id: child } of runs) {
      if (found.has(child) || found.size >= MOST_BRANCHES) continue
      const record = await showIfThere(client, child, signal)
      if (record && branchOfRun(record)?.parent?.run === id) add(record)
    }
  }
  return [...found.values()]
}

async function showIfThere(
  client: ReturnType<typeof useClient>,
  id: string,
  signal: AbortSignal,
): Promise<RunRecord | undefined> {
  try {
    return await client.runs.show({ id }, { signal })
  } catch (error) {
    if (reportOf(error).code === 'not-found') return undefined
    throw error
  }
}
