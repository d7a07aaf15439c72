/**
 * Runs the stored trajectories on one engine in this process, for a process can hold one engine only:
 * `node engine-process.ts ENGINE FOLDER LAST_STEP` writes `{ rows }`, or `{ unsupported }` with the reason, as JSON to stdout.
 */
import { writeSync } from 'node:fs'
import { EngineName } from '../../../shared/engines.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import { startEngine } from '../../engines/index.ts'
import type { EngineOutcome } from '../../network/conformance/engine-process.ts'
import { TRAJECTORY_CASES, trajectoryRows } from './trajectory-rows.ts'

async function outcomeOn(name: EngineName, folder: string, lastStep: number): Promise<EngineOutcome> {
  const started = await startEngine(name, { allowSoftware: true }).catch((error: unknown) => {
    if (error instanceof ConvScopeError && error.code === 'unsupported') return error
    throw error
  })
  if (started instanceof ConvScopeError) return { unsupported: started.message }
  const rows = []
  for (const stored of TRAJECTORY_CASES) rows.push(...(await trajectoryRows(started.engine, folder, stored, lastStep)))
  await started.engine.dispose()
  return { rows }
}

const [, , name, folder, lastStep] = process.argv
const text = Buffer.from(JSON.stringify(await outcomeOn(EngineName.parse(name), folder ?? '', Number(lastStep))))
// Written at once, however long: the process ends by an exit, since threads of an engine may keep it alive.
for (let written = 0; written < text.length;) written += writeSync(1, text, written)
process.exit(0)
