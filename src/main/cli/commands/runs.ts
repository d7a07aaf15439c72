/** `convscope runs list|show|export|remove|restore`. */
import { writeFile } from 'node:fs/promises'
import { Option, type Command } from 'commander'
import { ExperimentKindName } from '../../../shared/experiments/index.ts'
import { RunState, type RunRecord } from '../../../shared/runs.ts'
import { diskError } from '../../platform/disk-error.ts'
import { withCommonOptions, type Act } from '../context.ts'
import { EXIT } from '../follow-run.ts'
import { wholeNumber } from '../numbers.ts'
import { fileNameOf, prepareOutputFolder, writeOutputFolder } from '../output-folder.ts'
import { exportTarget } from '../export-target.ts'
import type { Register } from '../program.ts'
import { byteText, table } from '../terminal.ts'

export function addRuns(program: Command, register: Register): void {
  const runs = program.command('runs').summary('what the project holds').description('What the project holds.')
  const listCommand = withCommonOptions(runs.command('list'))
    .summary('list runs, newest first')
    .description('Lists runs, newest first.')
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(ExperimentKindName.options))
    .addOption(new Option('--state <state>', 'only in this state').choices(RunState.options))
    .option('--search <text>', 'only with this in title, kind or document')
    .option('--limit <count>', 'at most so many', wholeNumber, 50)
    .option('--offset <count>', 'leave out so many', wholeNumber, 0)
  register(listCommand, [], list)
  const showCommand = withCommonOptions(runs.command('show'))
    .summary('show a run: document, outputs, provenance')
    .description('Shows a run: document, outputs, provenance; with --json the result too.')
    .argument('<id>')
    .option('--out <folder>', 'write its files there too')
  register(showCommand, ['id'], show)
  const exportCommand = withCommonOptions(runs.command('export'))
    .summary('write a run into one .zip file')
    .description('Writes a run into one .zip file.')
    .argument('<id>')
    .argument('[file]', 'the .zip file, or the folder for it (default: named after the run, here)')
    .option('--force', 'replace a file that is there')
  register(exportCommand, ['id', 'file'], exportRun)
  const removeCommand = withCommonOptions(runs.command('remove'))
    .summary('remove a run, for seven days only')
    .description('Removes a run; it can be brought back for seven days.')
    .argument('<id>')
  register(removeCommand, ['id'], remove)
  const restoreCommand = withCommonOptions(runs.command('restore'))
    .summary('bring a removed run back')
    .description('Brings a removed run back.')
    .argument('<id>')
  register(restoreCommand, ['id'], restore)
}

interface ListOptions {
  readonly kind?: ExperimentKindName
  readonly state?: RunState
  readonly search?: string
  readonly limit: number
  readonly offset: number
}

const list: Act<ListOptions> = (context, { kind, state, search, limit, offset }) =>
  context.withProject(async ({ services }) => {
    const found = await services.runs.list({ kind, state, search, limit, offset })
    for (const problem of found.problems) context.terminal.note(problem)
    context.terminal.answer(found, () => {
      const rows = found.runs.map((run) => [run.id, run.state, run.kind, timeText(run.createdAt), run.title])
      return `${table(['run', 'state', 'kind', 'started (UTC)', 'title'], rows)}\n${found.runs.length} of ${found.total}`
    })
    return EXIT.done
  })

const show: Act<{ readonly id: string; readonly out?: string }> = (context, { id, out }) =>
  context.withProject(async (access) => {
    const run = await access.services.runs.show({ id })
    let files: string[] = []
    if (out !== undefined) {
      await prepareOutputFolder(out)
      files = await writeOutputFolder(out, run, (sha256) => access.artifact(sha256))
    }
    context.terminal.answer({ ...run, files }, () => runText(run))
    return EXIT.done
  })

interface ExportOptions {
  readonly id: string
  readonly file?: string
  readonly force?: boolean
}

const exportRun: Act<ExportOptions> = (context, { id, file, force = false }) =>
  context.withProject(async (access) => {
    const { sha256, fileName, damaged } = await access.services.runs.export({ id })
    const target = await exportTarget(file ?? '.', fileName, force)
    const bytes = await access.artifact(sha256)
    try {
      await writeFile(target, bytes)
    } catch (error) {
      throw diskError(target, 'write', error)
    }
    context.terminal.answer(
      { id, file: target, bytes: bytes.length, damaged },
      () => `${target}, ${byteText(bytes.length)}`,
    )
    if (damaged.length === 0) return EXIT.done
    context.terminal.note(`Left out, because they cannot be read: ${damaged.join(', ')}`)
    return EXIT.failed
  })

const remove: Act<{ readonly id: string }> = (context, { id }) =>
  context.withProject(async ({ services }) => {
    await services.runs.remove({ id })
    context.terminal.answer(
      { id, removed: true },
      () => `Removed ${id}; "convscope runs restore ${id}" brings it back.`,
    )
    return EXIT.done
  })

const restore: Act<{ readonly id: string }> = (context, { id }) =>
  context.withProject(async ({ services }) => {
    await services.runs.restore({ id })
    context.terminal.answer({ id, restored: true }, () => `Brought ${id} back.`)
    return EXIT.done
  })

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')
}

function runText(run: RunRecord): string {
  const rows = run.outputs.map((output) => [
    fileNameOf(output),
    (output.shape ?? []).join(' × '),
    byteText(output.bytes),
  ])
  const { provenance: from } = run
  return [
    `${run.title} (${run.kind})`,
    `Run ${run.id}: ${run.state}, started ${timeText(run.createdAt)} UTC`,
    ...(run.error ? [`Error: ${run.error.message}`] : []),
    ...(from
      ? [`On ${from.engine.name}, ${from.engine.version}, ${from.engine.device}; ${from.program}, ${from.platform}`]
      : []),
    `Document ${run.documentHash}`,
    JSON.stringify(run.document, null, 2),
    ...(rows.length > 0 ? [table(['output', 'shape', 'size'], rows)] : []),
  ].join('\n')
}
