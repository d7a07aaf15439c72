import {
  describeDocument,
  ExperimentDocument,
  experimentKinds,
  type ExperimentKindName,
} from '../../../shared/experiments/index.ts'
import { RunState, type OutputRecord, type Provenance } from '../../../shared/runs.ts'
import { OUTPUT_EXTENSIONS } from '../../../shared/runs.ts'
import { formatDate, formatMilliseconds, formatThreads, shortHash } from '../../lib/format.ts'

export const STATE_TEXTS: Record<RunState, string> = {
  queued: 'waiting',
  running: 'running',
  paused: 'paused',
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
}

export const KIND_OPTIONS = [
  { value: 'all', label: 'All kinds' },
  ...Object.values(experimentKinds).map(({ kind, title }) => ({ value: kind as string, label: title })),
]

export const STATE_OPTIONS = [
  { value: 'all', label: 'All states' },
  ...RunState.options.map((value) => ({ value: value as string, label: STATE_TEXTS[value] })),
]

export const kindTitle = (kind: ExperimentKindName): string => experimentKinds[kind].title

export const fileNameOf = ({ name, kind }: OutputRecord): string => `${name}.${OUTPUT_EXTENSIONS[kind]}`

/** Everything needed to do the run again, in words. */
export function provenanceFacts(provenance: Provenance): { name: string; value: string; title?: string }[] {
  const { engine, networks, datasets } = provenance
  const hashes = (record: Record<string, string>) =>
    Object.entries(record).map(([name, hash]) => ({ name, value: shortHash(hash), title: hash }))
  return [
    { name: 'Program', value: provenance.program },
    { name: 'Engine', value: `${engine.version} (${engine.name})` },
    { name: 'Device', value: `${engine.device}, ${formatThreads(engine.threads)}` },
    { name: 'Kernels', value: engine.kernels },
    { name: 'Repeatable', value: engine.deterministic ? 'bit by bit' : 'not promised by this engine' },
    { name: 'Platform', value: provenance.platform },
    { name: 'Started', value: formatDate(provenance.startedAt) },
    { name: 'Took', value: formatMilliseconds(provenance.finishedAt - provenance.startedAt) },
    ...hashes(networks),
    ...hashes(datasets),
    { name: 'Document', value: shortHash(provenance.documentHash), title: provenance.documentHash },
  ]
}

/** The address of the Deconvnet tab that shows a deconvnet document; undefined for other documents. */
export function deconvnetQuery(document: unknown): Record<string, string> | undefined {
  const parsed = experimentKinds.deconvnet.document.safeParse(document)
  if (!parsed.success || !('dataset' in parsed.data.params.picture)) return undefined
  const { network, picture, layer, units, seed, rules, scale } = parsed.data.params
  const query: Record<string, string> = {
    network,
    layer,
    dataset: picture.dataset,
    split: picture.split,
    index: String(picture.index),
    ...rules,
    ...{ seed, scale },
  }
  if (units.kind === 'strongest') query.units = String(units.count)
  const [unit] = units.kind === 'list' ? units.units : []
  if (unit) query.channel = String(unit.channel)
  if (unit?.position) [query.row, query.column] = unit.position.map(String) as [string, string]
  return query
}

/** What a document is about in one line. */
export function documentTitle(document: unknown): string {
  const parsed = ExperimentDocument.safeParse(document)
  return parsed.success ? describeDocument(parsed.data) : 'Experiment'
}
