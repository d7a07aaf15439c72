/**
 * Entry point of a process that checks one engine: `node check-engine.ts <name> <options as JSON> [training-only]`.
 * Writes one JSON object to file descriptor 3.
 */
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { EngineName } from '../../../shared/engines.ts'
import { startEngine, type StartOptions } from '../index.ts'
import { runConformity, type ConformityRow } from './run-conformity.ts'
import { trainBriefly } from './train-briefly.ts'

export interface EngineCheck {
  readonly identity: unknown
  readonly rows: readonly ConformityRow[]
  /** SHA-256 of the losses and parameters of a short training run; of two from the same start where the engine promises determinism. */
  readonly trainings: readonly string[]
  readonly losses: readonly number[]
  /** Tensors that live after everything has been disposed. */
  readonly tensorsLeft: number
}

const name = EngineName.parse(process.argv[2])
const options = JSON.parse(process.argv[3] ?? '{}') as StartOptions
const { engine } = await startEngine(name, options)
const rows = process.argv[4] === 'training-only' ? [] : await runConformity(engine)
const runs = [await trainBriefly(engine)]
if (engine.identity.deterministic) runs.push(await trainBriefly(engine))
const check: EngineCheck = {
  identity: engine.identity,
  rows,
  trainings: runs.map((run) => createHash('sha256').update(new Uint8Array(run.buffer)).digest('hex')),
  losses: [...(runs[0] ?? [])].slice(0, 5),
  tensorsLeft: engine.memory().tensors,
}
const text = Buffer.from(JSON.stringify(check))
for (let at = 0; at < text.length;) at += writeSync(3, text, at)
await engine.dispose()
process.exit(0)
