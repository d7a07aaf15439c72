/** From rows of `run` and `run_output` to records. */
import * as z from 'zod'
import { OutputRecord, RunRecord, RunSummary } from '../../shared/runs.ts'
import type { Row } from './database.ts'
import { LibraryHashes } from './library-hashes.ts'
import { jsonColumn, optional, parseRow } from './rows.ts'

export const SUMMARY_COLUMNS = 'id, kind, title, document_hash, state, error, created_at, finished_at, deleted_at'

export function rowTitle(row: Row): string {
  return `Run ${String(row['id'])}`
}

function summaryMembers(row: Row): Record<string, unknown> {
  return {
    id: row['id'],
    kind: row['kind'],
    title: row['title'],
    documentHash: row['document_hash'],
    state: row['state'],
    error: jsonColumn(row, 'error', rowTitle(row)),
    createdAt: row['created_at'],
    finishedAt: optional(row['finished_at']),
    deletedAt: optional(row['deleted_at']),
  }
}

export function readSummary(row: Row): RunSummary {
  return parseRow(RunSummary, summaryMembers(row), rowTitle(row))
}

export function readRun(row: Row, outputs: readonly Row[]): RunRecord {
  const members = {
    ...summaryMembers(row),
    document: jsonColumn(row, 'document', rowTitle(row)),
    result: jsonColumn(row, 'result', rowTitle(row)),
    provenance: jsonColumn(row, 'provenance', rowTitle(row)),
    outputs: outputs.map(readOutput),
  }
  return parseRow(RunRecord, members, rowTitle(row))
}

function readOutput(row: Row): OutputRecord {
  const { name, kind, sha256, bytes, dtype } = row
  const members = {
    name,
    kind,
    sha256,
    bytes,
    shape: jsonColumn(row, 'shape', `Output ${String(name)} of run ${String(row['run_id'])}`),
    dtype: optional(dtype),
  }
  return parseRow(OutputRecord, members, `Output ${String(name)} of run ${String(row['run_id'])}`)
}

export function readLibrary(row: Row): LibraryHashes {
  return parseRow(LibraryHashes, jsonColumn(row, 'library', rowTitle(row)), rowTitle(row))
}

export function readAttempts(row: Row): number {
  return parseRow(z.number().int().nonnegative(), row['attempts'], rowTitle(row))
}
