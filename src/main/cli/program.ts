/** The command line: every command with its options, and how an action becomes an exit code. */
import { Command, CommanderError } from 'commander'
import { ConvScopeError, toErrorReport } from '../../shared/errors.ts'
import { configureLogging } from '../platform/logger.ts'
import { PROGRAM, PROGRAM_VERSION } from '../platform/program.ts'
import { addData } from './commands/data.ts'
import { addDoctor } from './commands/doctor.ts'
import { addEngine } from './commands/engine.ts'
import { addModel } from './commands/model.ts'
import { addOpen } from './commands/open.ts'
import { addRun } from './commands/run.ts'
import { addRuns } from './commands/runs.ts'
import { addServe } from './commands/serve.ts'
import { addTrain } from './commands/train.ts'
import { addWorker } from './commands/worker.ts'
import { CommandContext, type Act, type CommonOptions, type Surroundings } from './context.ts'
import { EXIT, type ExitCode } from './follow-run.ts'

/** Binds a command's action: its arguments reach it as options of these names. */
export type Register = <O>(command: Command, argumentNames: readonly (keyof O & string)[], act: Act<O>) => void

/**
 * Runs one command.
 * @param args without program and script
 * @returns 0 done, 1 failed, 2 wrong usage, 130 interrupted
 */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done
  const program = createProgram(surroundings, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(withCommand(args), { from: 'user' })
    return exitCode
  } catch (error) {
    // Commander has printed its message already. Asking for help or the version is no mistake.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    throw error
  }
}

/** Without a command, the window is opened. A word that is no command is a mistake and not the name of a project. */
function withCommand(args: readonly string[]): string[] {
  const [first] = args
  const asksAboutProgram = first !== undefined && ['-h', '--help', '-V', '--version'].includes(first)
  return first === undefined || (first.startsWith('-') && !asksAboutProgram) ? ['open', ...args] : [...args]
}

function createProgram(surroundings: Surroundings, setExitCode: (code: ExitCode) => void): Command {
  const { streams } = surroundings
  const program = new Command('convscope')
    .description(`${PROGRAM}, a workstation for looking inside convolutional networks.`)
    .version(PROGRAM_VERSION)
    .helpCommand(true)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .configureOutput({ writeOut: (text) => streams.out.write(text), writeErr: (text) => streams.err.write(text) })

  const register: Register = (command, argumentNames, act) => {
    command.action(async (...given: unknown[]) => {
      const named = Object.fromEntries(argumentNames.map((name, index) => [name, given[index]]))
      // Commander has parsed them by their definitions; it does not say so in its types.
      const options = { ...command.optsWithGlobals(), ...named } as Parameters<typeof act>[1]
      setExitCode(await perform(() => act(new CommandContext(surroundings, options), options), surroundings, options))
    })
  }
  for (const add of [
    addOpen,
    addServe,
    addDoctor,
    addRun,
    addRuns,
    addEngine,
    addTrain,
    addModel,
    addData,
    addWorker,
  ]) {
    add(program, register)
  }
  return program
}

async function perform(
  act: () => Promise<ExitCode>,
  surroundings: Surroundings,
  options: CommonOptions,
): Promise<ExitCode> {
  // Whatever a user has to know is said by the command itself; the log file has the rest.
  configureLogging({ stderr: options.verbose ? 'info' : 'off' })
  try {
    return await act()
  } catch (error) {
    new CommandContext(surroundings, options).terminal.error(toErrorReport(error))
    if (surroundings.interruption.aborted) return EXIT.interrupted
    return error instanceof ConvScopeError && error.code === 'invalid-input' ? EXIT.usage : EXIT.failed
  }
}
