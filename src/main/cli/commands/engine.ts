/** `convscope engine list|install|remove`. */
import type { Command } from 'commander'
import { ConvScopeError } from '../../../shared/errors.ts'
import { cacheFolder } from '../../platform/folders.ts'
import { NativeEngine } from '../../services/native-engine.ts'
import { programFolder } from '../../services/program-folder.ts'
import { withCommonOptions, type Act } from '../context.ts'
import { EXIT } from '../follow-run.ts'
import type { Register } from '../program.ts'
import { byteText, table, type Terminal } from '../terminal.ts'

export function addEngine(program: Command, register: Register): void {
  const engine = program
    .command('engine')
    .summary('native engines in the cache folder')
    .description('Native engines in the cache folder.')
  const listCommand = withCommonOptions(engine.command('list'))
    .summary('list the installed native engines')
    .description('Lists the installed native engines.')
  register(listCommand, [], list)
  const installCommand = withCommonOptions(engine.command('install'))
    .summary("fetch TensorFlow's library")
    .description("Fetches TensorFlow's library.")
    .option('--cuda', 'the one that computes on NVIDIA GPUs')
  register(installCommand, [], install)
  const removeCommand = withCommonOptions(engine.command('remove'))
    .summary('remove an installed native engine')
    .description('Removes an installed native engine.')
    .argument('<name>', 'as "engine list" shows it')
  register(removeCommand, ['name'], remove)
}

function nativeEngine(): NativeEngine {
  return new NativeEngine({ programFolder: programFolder(), cacheFolder: cacheFolder() })
}

const list: Act<object> = async ({ terminal }) => {
  const engines = await nativeEngine().list()
  terminal.answer(engines, () => {
    if (engines.length === 0) return 'No native engine is installed. "convscope engine install" fetches it.'
    const rows = engines.map(({ name, complete, bytes, folder, problems }) => [
      name,
      complete ? 'complete' : problems.join(' '),
      byteText(bytes),
      folder,
    ])
    return table(['engine', 'state', 'size', 'folder'], rows)
  })
  return EXIT.done
}

const install: Act<{ readonly cuda?: boolean }> = async ({ terminal, interruption }, { cuda = false }) => {
  const engine = nativeEngine()
  const stop = (): void => engine.close()
  interruption.addEventListener('abort', stop, { once: true })
  const shown = new AbortController()
  void showProgress(engine, terminal, shown.signal)
  try {
    await engine.install({ cuda })
  } finally {
    shown.abort()
    interruption.removeEventListener('abort', stop)
  }
  const engines = await engine.list()
  terminal.answer(engines, () => `Installed: ${engines.map(({ name }) => name).join(', ')}`)
  return EXIT.done
}

const remove: Act<{ readonly name: string }> = async ({ terminal }, { name }) => {
  const removed = await nativeEngine().remove(name)
  if (!removed) {
    throw new ConvScopeError('not-found', `The native engine ${name} is not installed`, {
      remedy: 'See "convscope engine list".',
    })
  }
  terminal.answer({ name, removed }, () => `Removed ${name}.`)
  return EXIT.done
}

async function showProgress(engine: NativeEngine, terminal: Terminal, signal: AbortSignal): Promise<void> {
  for await (const state of engine.state.watch(signal)) {
    if (state.state !== 'installing' || signal.aborted) continue
    const percent = state.fraction === undefined ? '' : ` ${Math.floor(100 * state.fraction)} %`
    terminal.progress(`${state.message}${percent}`)
  }
}
