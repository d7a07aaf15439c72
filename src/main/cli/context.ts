/** What every command is given: options that all share, and the surroundings. */
import { Option, type Command } from 'commander'
import { ENGINE_NAMES, type EngineWish } from '../../shared/engines.ts'
import { defaultProjectFolder } from '../platform/folders.ts'
import { openAccess, type Access, type ShareProject } from './access.ts'
import type { ExitCode } from './follow-run.ts'
import { wholeNumber } from './numbers.ts'
import { Terminal, type Streams } from './terminal.ts'

export interface Surroundings {
  readonly streams: Streams
  readonly workerPath: string
  readonly shareProject: ShareProject
  /** Aborted by the first Ctrl+C. */
  readonly interruption: AbortSignal
}

export interface CommonOptions {
  readonly project?: string
  readonly json?: boolean
  readonly verbose?: boolean
  readonly engine?: EngineWish
  readonly threads?: number
}

/** A command's action: its exit code is the process's. */
export type Act<O> = (context: CommandContext, options: O & CommonOptions) => Promise<ExitCode>

export class CommandContext {
  readonly terminal: Terminal
  readonly surroundings: Surroundings
  readonly #options: CommonOptions

  constructor(surroundings: Surroundings, options: CommonOptions) {
    this.surroundings = surroundings
    this.#options = options
    this.terminal = new Terminal(surroundings.streams, options.json ?? false)
  }

  get interruption(): AbortSignal {
    return this.surroundings.interruption
  }

  /** Opens the project, hands it to `use`, and closes it whatever happens. */
  async withProject<T>(use: (access: Access) => Promise<T>): Promise<T> {
    const { project, engine, threads } = this.#options
    const access = await openAccess({
      project,
      engine,
      threads,
      workerPath: this.surroundings.workerPath,
      shareProject: this.surroundings.shareProject,
      onWait: (message) => this.terminal.note(message),
      interruption: this.interruption,
    })
    try {
      return await use(access)
    } finally {
      await access.close()
    }
  }
}

/** Adds the options that every command takes. */
export function withCommonOptions(command: Command): Command {
  return command
    .option('--project <folder>', `the project; made where it is missing (default: ${defaultProjectFolder()})`)
    .option('--json', 'print one JSON value on stdout, everything else on stderr')
    .option('--verbose', 'write the log to stderr too')
}

/** Adds the options of commands that compute. */
export function withEngineOptions(command: Command): Command {
  return withCommonOptions(command)
    .addOption(new Option('--engine <name>', 'the engine, for this command').choices(['auto', ...ENGINE_NAMES]))
    .option('--threads <count>', 'threads of the engine, for this command', wholeNumber)
}
