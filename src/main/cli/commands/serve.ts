/** `convscope serve [PROJECT]`. */
import { once } from 'node:events'
import type { Command } from 'commander'
import { ConvScopeError } from '../../../shared/errors.ts'
import { defaultProjectFolder } from '../../platform/folders.ts'
import { ProjectInUseError } from '../../project/lock.ts'
import { startServing, type Serving } from '../../server.ts'
import { withEngineOptions, type Act, type CommandContext, type CommonOptions } from '../context.ts'
import { EXIT, type ExitCode } from '../follow-run.ts'
import { wholeNumber } from '../numbers.ts'
import type { Register } from '../program.ts'

interface ServeCommandOptions {
  readonly folder?: string
  readonly port: number
  readonly host: string
  readonly open: boolean
}

export function addServe(program: Command, register: Register): void {
  const command = withEngineOptions(program.command('serve'))
    .summary('serve the page')
    .description('Serves the workstation as a page, for this machine and with a token unless told otherwise.')
    .argument('[project]', 'the same as --project')
    .option('--port <number>', 'the port; 0 takes a free one', wholeNumber, 0)
    .option(
      '--host <address>',
      'the address to listen on; any but a loopback address is reachable by others',
      '127.0.0.1',
    )
    .option('--no-open', 'do not show the page in a browser')
  register(command, ['folder'], serve)
}

const serve: Act<ServeCommandOptions> = async (context, options) => {
  const { terminal, surroundings, interruption } = context
  const { port, host, open, engine, threads } = options
  if (port > 65_535) throw new ConvScopeError('invalid-input', `There is no port ${port}: the highest is 65535`)
  let serving: Serving
  try {
    serving = await startServing({
      projectFolder: projectFolder(options),
      port,
      host,
      open,
      engine,
      threads,
      workerPath: surroundings.workerPath,
      print: (line) => terminal.answer({ address: line.replace(/^ConvScope is at /, '') }, () => line),
      warn: (line) => terminal.note(line),
    })
  } catch (error) {
    if (error instanceof ProjectInUseError && error.holder?.page !== undefined)
      return tellOpenPage(context, error.holder.pid, error.holder.page)
    throw error
  }
  if (!interruption.aborted) await once(interruption, 'abort')
  await serving.close()
  return EXIT.done
}

/** Who starts the program a second time wants to see the page. */
function tellOpenPage({ terminal }: CommandContext, pid: number, address: string): ExitCode {
  terminal.note(`The project is open already, in process ${pid}; other options of this command are not used.`)
  terminal.answer({ address }, () => `ConvScope is at ${address}`)
  return EXIT.done
}

/** @throws ConvScopeError 'invalid-input' where argument and option name different projects */
export function projectFolder({ folder, project }: CommonOptions & { readonly folder?: string }): string {
  if (folder !== undefined && project !== undefined && folder !== project) {
    throw new ConvScopeError('invalid-input', `Two projects are named: "${folder}" and "${project}"`)
  }
  return folder ?? project ?? defaultProjectFolder()
}
