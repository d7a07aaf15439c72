/** What a project whose process was killed is examined for. */
import { hashFile } from '../../platform/hash.ts'
import type { Project } from '../../project/project.ts'
import { MOST_ATTEMPTS } from '../../project/runs.ts'

/** What the processes said before they were killed. */
export interface Said {
  readonly started: Set<string>
  /** Hashes of the outputs of runs that were done. */
  readonly finished: Map<string, string[]>
}

/** Numbers in [0, 1) that can be repeated: set CONVSCOPE_KILL_SEED to the number that a failed test printed. */
export function killRandom(name: string): () => number {
  const seed = Number(process.env['CONVSCOPE_KILL_SEED'] ?? Date.now() % 1_000_000)
  process.stdout.write(`${name}: CONVSCOPE_KILL_SEED=${seed}\n`)
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What of that is lost: a finished run that is not done any more, and another one that neither waits again nor says why it does not. */
export function lostRuns(project: Project, said: Said): string[] {
  const problems = project.database.check({ full: true })
  for (const [id, outputs] of said.finished) {
    const run = project.runs.get(id)
    const kept = run.outputs.map(({ sha256 }) => sha256)
    const lastEvent = project.jobEvents.after(id, 0, 5000).items.at(-1)?.type
    if (run.state !== 'done' || lastEvent !== 'done') problems.push(`${id} was done and is ${run.state}, ${lastEvent}`)
    if (kept.join() !== outputs.join()) problems.push(`${id} had the outputs ${outputs.join()} and has ${kept.join()}`)
  }
  const waiting = new Set(project.runs.queued())
  for (const id of said.started) {
    const { state, error } = project.runs.summary(id)
    // One that was interrupted again and again before its first checkpoint is not begun for ever.
    const explained = state === 'failed' && error?.message.includes(`${MOST_ATTEMPTS} times`) === true
    if (state !== 'done' && !explained && !waiting.has(id)) problems.push(`${id} was started and is ${state}`)
  }
  if (project.runs.list({ state: 'running' }).total > 0) problems.push('a run is running in a project just opened')
  return problems
}

/** Files under the artifacts that are not what their names say, whether anything names them or not. */
export async function damagedFiles(project: Project): Promise<string[]> {
  const { artifacts, strangers } = await project.artifacts.list()
  const problems = strangers.map((name) => `"${name}" is no artifact`)
  for (const { sha256 } of artifacts) {
    const found = await hashFile(project.artifacts.path(sha256))
    if (found.sha256 !== sha256) problems.push(`the file ${sha256} has the hash ${found.sha256}`)
  }
  return problems
}
