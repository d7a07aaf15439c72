import { ConvScopeError } from '../../shared/errors.ts'
import type { OutputRecord } from '../../shared/runs.ts'
import type { ArtifactStore } from '../project/artifact-store.ts'

/** Whether every output is in the store with the size it says. */
export async function areStored(artifacts: ArtifactStore, outputs: readonly OutputRecord[]): Promise<boolean> {
  for (const { sha256, bytes } of outputs) if ((await artifacts.size(sha256)) !== bytes) return false
  return true
}

/** @throws ConvScopeError 'damaged' where an executor names an output that it has not stored, or one name twice */
export async function assertStored(artifacts: ArtifactStore, outputs: readonly OutputRecord[]): Promise<void> {
  const names = new Set<string>()
  for (const { name, kind, sha256, bytes } of outputs) {
    if (names.has(`${kind} ${name}`))
      throw new ConvScopeError('damaged', `There are two outputs (${kind}) named ${name}`)
    names.add(`${kind} ${name}`)
    const size = await artifacts.size(sha256)
    if (size !== bytes) {
      throw new ConvScopeError('damaged', `The output ${name} was not stored: ${size ?? 'no'} bytes of ${bytes}`, {
        remedy: 'Run it again.',
        details: sha256,
      })
    }
  }
}
