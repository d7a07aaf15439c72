/**
 * Runs the conformance table on one engine in this process, for a process can hold one engine only:
 * `node engine-process.ts ENGINE FOLDER` writes `{ rows }`, or `{ unsupported }` with the reason, as JSON to stdout.
 */
import { writeSync } from 'node:fs'
import { EngineName } from '../../../shared/engines.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import { startEngine } from '../../engines/index.ts'
import { runNetworkConformance, type Row } from './index.ts'

export type EngineOutcome = { readonly rows: Row[] } | { readonly unsupported: string }

async function outcomeOn(name: EngineName, folder: string): Promise<EngineOutcome> {
  const started = await startEngine(name, { allowSoftware: true }).catch((error: unknown) => {
    if (error instanceof ConvScopeError && error.code === 'unsupported') return error
    throw error
  })
  if (started instanceof ConvScopeError) return { unsupported: started.message }
  const rows = await runNetworkConformance(started.engine.tf, folder)
  await started.engine.dispose()
  return { rows }
}

const [, , name, folder] = process.argv
const text = Buffer.from(JSON.stringify(await outcomeOn(EngineName.parse(name), folder ?? '')))
// Written at once, however long: the process ends by an exit, since threads of an engine may keep it alive.
for (let written = 0; written < text.length;) written += writeSync(1, text, written)
process.exit(0)
