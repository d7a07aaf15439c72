/** The health of a project: what is missing, damaged or unreadable, and how much space it takes. */
import type { ProjectHealth } from '../../shared/contract/system.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { Project } from './project.ts'

/** More than the contract's `ProjectHealth`, for the command line. */
export interface ProjectCheck extends ProjectHealth {
  readonly databaseBytes: number
  readonly looks: number
  /** Files that nothing names; removed by the next clean-up when they are old enough. */
  readonly unreferenced: number
  readonly unreferencedBytes: number
}

const LISTED = 20

/** `full` also reads every artifact and compares its hash, and checks every index of the database. */
export async function checkProject(project: Project, { full = false }: { full?: boolean } = {}): Promise<ProjectCheck> {
  const database = project.database.check({ full }).map((message) => `Database: ${message}`)
  try {
    const rest = await checkContents(project, full)
    const problems = [...database, ...rest.problems]
    return { ...rest, problems, ok: problems.length === 0 }
  } catch (error) {
    // Where the database is that broken, the rest cannot be examined.
    if (!(error instanceof ConvScopeError) || error.code !== 'damaged') throw error
    const nothing = { runs: 0, artifacts: 0, artifactBytes: 0, looks: 0, unreferenced: 0, unreferencedBytes: 0 }
    const problems = [...database, `${error.message}; nothing else could be examined`]
    return { ...nothing, ok: false, databaseBytes: project.database.bytes, problems }
  }
}

async function checkContents(project: Project, full: boolean): Promise<Omit<ProjectCheck, 'ok'>> {
  const { artifacts: stored, strangers } = await project.artifacts.list()
  const referenced = project.artifactRecords.referenced()
  const records = project.artifactRecords.list()
  const unreferenced = stored.filter(({ sha256 }) => !referenced.has(sha256))
  const networks = project.networks.list()
  const datasets = project.datasets.list()
  const checked = await project.artifacts.check(records, { full })
  const problems = [
    ...several(checked.missing, (sha256) => `Artifact ${sha256} is missing${usersOf(project, sha256)}`),
    ...several(checked.damaged, (sha256) => `Artifact ${sha256} is damaged${usersOf(project, sha256)}`),
    ...networks.problems,
    ...datasets.problems,
    ...unreadableRuns(project),
    ...project.looks.history(Number.MAX_SAFE_INTEGER).problems,
    ...several(strangers, (name) => `"${name}" in the artifact folder is no artifact`),
  ]
  const known = new Set(records.map(({ sha256 }) => sha256))
  const library = [
    ...networks.items.map(({ name, weights }) => [`network ${name}`, [weights]] as const),
    ...datasets.items.map(
      ({ name, splits }) =>
        [
          `data set ${name}`,
          splits.flatMap((s) => [s.images, s.labels, s.packed]).filter((hash) => hash !== undefined),
        ] as const,
    ),
  ]
  for (const [owner, hashes] of library) {
    const rest = hashes.filter((sha256) => !known.has(sha256)).map((sha256) => ({ sha256 }))
    const { missing, damaged } = await project.artifacts.check(rest, { full })
    problems.push(...missing.map((sha256) => `Artifact ${sha256} of ${owner} is missing`))
    problems.push(...damaged.map((sha256) => `Artifact ${sha256} of ${owner} is damaged`))
  }
  return {
    runs: project.runs.list({ limit: 1 }).total,
    artifacts: stored.length,
    artifactBytes: stored.reduce((sum, { bytes }) => sum + bytes, 0),
    problems,
    databaseBytes: project.database.bytes,
    looks: project.looks.size().looks,
    unreferenced: unreferenced.length,
    unreferencedBytes: unreferenced.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** One sentence each, and one for the rest of a long list. */
function several(things: readonly string[], sentence: (thing: string) => string): string[] {
  const listed = things.slice(0, LISTED).map(sentence)
  return things.length > LISTED ? [...listed, `… and ${things.length - LISTED} more like the last one`] : listed
}

/** Who needs an artifact, in words. */
function usersOf(project: Project, sha256: string): string {
  const rows = project.database.all(
    `SELECT 'run ' || run_id || ', output ' || name AS user FROM run_output WHERE sha256 = ?1
     UNION SELECT 'checkpoint of run ' || run_id FROM checkpoint WHERE sha256 = ?1
     UNION SELECT 'look ' || substr(document_hash, 1, 12) FROM look WHERE instr(outputs, ?1) > 0
     UNION SELECT 'network ' || name FROM network WHERE weights = ?1
     UNION SELECT 'data set ' || name FROM dataset WHERE instr(splits, ?1) > 0
     LIMIT 5`,
    sha256,
  )
  return rows.length === 0 ? '' : ` (${rows.map((row) => String(row['user'])).join('; ')})`
}

/** Reads every run whole: document, result, provenance, outputs and events. */
function unreadableRuns(project: Project): string[] {
  const problems: string[] = []
  for (const row of project.database.all('SELECT id FROM run ORDER BY rowid')) {
    const id = String(row['id'])
    try {
      project.runs.get(id)
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
    for (let seq = 0; ;) {
      const page = project.jobEvents.after(id, seq, 2000)
      problems.push(...several(page.problems, (problem) => problem))
      const last = page.items.at(-1)
      if (!last) break
      seq = last.seq
    }
  }
  return problems
}
