/** `convscope open [PROJECT]`: the window, or the page where there can be none. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Command } from 'commander'
import { findNode } from '../../sessions/launcher.ts'
import { programFolder } from '../../services/program-folder.ts'
import { withEngineOptions, type Act } from '../context.ts'
import { EXIT } from '../follow-run.ts'
import type { Register } from '../program.ts'
import { projectFolder } from './serve.ts'

export function addOpen(program: Command, register: Register): void {
  const command = withEngineOptions(program.command('open'))
    .summary('open the window')
    .description('Opens the desktop window; where there can be none, says why and serves the page instead.')
    .argument('[project]', 'the same as --project')
  register(command, ['folder'], open)
}

/** The launcher knows about displays and the window's runtime; it is what the command `convscope` starts. */
const open: Act<{ readonly folder?: string }> = async (_, options) => {
  const { engine, threads } = options
  const child = spawn(
    findNode(),
    [
      join(programFolder(), 'bin', 'convscope.mjs'),
      'open',
      '--project',
      projectFolder(options),
      ...(engine === undefined ? [] : ['--engine', engine]),
      ...(threads === undefined ? [] : ['--threads', String(threads)]),
    ],
    { stdio: 'inherit' },
  )
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  return code === 0 ? EXIT.done : EXIT.failed
}
