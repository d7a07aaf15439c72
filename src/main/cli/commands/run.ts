/** `convscope run FILE.json`. */
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { ConvScopeError } from '../../../shared/errors.ts'
import { parseDocument } from '../../../shared/experiments/index.ts'
import { Json } from '../../../shared/values.ts'
import { diskError } from '../../platform/disk-error.ts'
import { assign } from '../assignment.ts'
import { withEngineOptions, type Act } from '../context.ts'
import { runToEnd, type RunToEnd } from '../follow-run.ts'
import { byteText, type Terminal } from '../terminal.ts'
import type { Register } from '../program.ts'

interface RunCommandOptions {
  readonly file: string
  readonly set?: string[]
  readonly out?: string
}

export function addRun(program: Command, register: Register): void {
  const command = withEngineOptions(program.command('run'))
    .summary('run an experiment document')
    .description('Runs an experiment document and keeps the run in the project.')
    .argument('<file>', 'the document, a JSON file; "-" reads it from stdin')
    .option('--set <path=value>', 'change a value of the document, e.g. layer=conv1 (may be repeated)', collect)
    .option('--out <folder>', 'write result.json, every array as .npy and every picture as .png')
  register(command, ['file'], run)
}

const run: Act<RunCommandOptions> = async (context, { file, set = [], out }) => {
  const document = await readDocument(file, set)
  return context.withProject(async (access) => {
    const ended = await runToEnd(document, access, context.terminal, { out, interruption: context.interruption })
    answerRun(context.terminal, ended, out)
    return ended.exitCode
  })
}

/** With `--json` the run as it is stored, with the names of the files written. */
export function answerRun(terminal: Terminal, { run: record, files }: RunToEnd, out: string | undefined): void {
  terminal.answer({ ...record, files }, () => {
    const outputs = `${record.outputs.length} outputs, ${byteText(record.outputs.reduce((sum, { bytes }) => sum + bytes, 0))}`
    const where = out === undefined ? '' : `\n${files.length} files in ${out}`
    return `Run ${record.id}: ${record.state}, ${outputs}${where}`
  })
}

async function readDocument(file: string, assignments: readonly string[]): Promise<Json> {
  const text = file === '-' ? await readStdin() : await readText(file)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConvScopeError('invalid-input', `"${file}" is not JSON: ${reason}`, { cause })
  }
  return Json.parse(parseDocument(assignments.reduce(assign, value)))
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const shown = diskError(file, 'read', error)
    if (shown instanceof ConvScopeError && shown.code === 'not-found') {
      throw new ConvScopeError('invalid-input', shown.message, { cause: error })
    }
    throw shown
  }
}

async function readStdin(): Promise<string> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const piece of process.stdin) text += String(piece)
  return text
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}
