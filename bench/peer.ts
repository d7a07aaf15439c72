/** A Python process that answers lines with numbers, so that two programs are measured by turns. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Peer {
  /** One turn of a piece; undefined where the peer cannot do it. */
  ask(piece: string): Promise<number | undefined>
  stop(): void
}

/**
 * Starts a script with `CONVSCOPE_BENCH_PYTHON`, else with `python3`.
 * @param first the piece whose answer shows that it runs
 * @returns undefined where that Python lacks what the script imports; throws where it was named and lacks it
 */
export async function startPeer(script: string, args: readonly string[], first: string): Promise<Peer | undefined> {
  const named = process.env['CONVSCOPE_BENCH_PYTHON']
  const child = spawn(named ?? 'python3', [script, ...args], { stdio: ['pipe', 'pipe', named ? 'inherit' : 'ignore'] })
  child.stdin.on('error', () => undefined)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const failed = once(child, 'error').then(() => true)
  const ask = async (piece: string): Promise<number | undefined> => {
    child.stdin.write(`${piece}\n`)
    const answer = await lines.next()
    if (answer.done) throw new Error(`${script} ended before it answered ${piece}`)
    return (JSON.parse(answer.value) as number | null) ?? undefined
  }
  const peer: Peer = { ask, stop: () => child.stdin.end() }
  const started = await Promise.race([ask(first).then(() => true), failed.then(() => false)]).catch(() => false)
  if (started) return peer
  if (named !== undefined) throw new Error(`${named} cannot run ${script}`)
  return undefined
}
