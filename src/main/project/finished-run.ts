import type { ExperimentDocument } from '../../shared/experiments/index.ts'
import { hashJson } from '../platform/hash.ts'
import type { LibraryHashes } from './library-hashes.ts'
import type { Project } from './project.ts'

/** The id of the newest finished run of the same document on the same networks and data sets. */
export function finishedRun(
  { database }: Pick<Project, 'database'>,
  document: ExperimentDocument,
  library: LibraryHashes,
): string | undefined {
  const row = database.get(
    `SELECT id FROM run WHERE document_hash = ? AND library = ? AND state = 'done' AND deleted_at IS NULL
     ORDER BY created_at DESC, rowid DESC LIMIT 1`,
    hashJson(document),
    JSON.stringify(library),
  )
  return row && String(row['id'])
}
