/** One engine's rows of a conformance table, from a process of its own: a process can hold one engine only. */
import { writeSync } from 'node:fs'
import { EngineName } from '../../../shared/engines.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { Engine } from '../../engines/engine.ts'
import { startEngine } from '../../engines/index.ts'
import type { Row } from './rows.ts'

export type EngineOutcome = { readonly rows: Row[] } | { readonly unsupported: string }

/** Writes `{ rows }`, or `{ unsupported }` with the reason, as JSON to stdout, and ends the process. */
export async function reportOutcome(
  name: string | undefined,
  rowsOn: (engine: Engine) => Promise<Row[]>,
): Promise<void> {
  const text = Buffer.from(JSON.stringify(await outcomeOn(EngineName.parse(name), rowsOn)))
  // Written at once, however long: the process ends by an exit, since threads of an engine may keep it alive.
  for (let written = 0; written < text.length;) written += writeSync(1, text, written)
  process.exit(0)
}

async function outcomeOn(name: EngineName, rowsOn: (engine: Engine) => Promise<Row[]>): Promise<EngineOutcome> {
  const started = await startEngine(name, { allowSoftware: true }).catch((error: unknown) => {
    if (error instanceof ConvScopeError && error.code === 'unsupported') return error
    throw error
  })
  if (started instanceof ConvScopeError) return { unsupported: started.message }
  const rows = await rowsOn(started.engine)
  await started.engine.dispose()
  return { rows }
}
