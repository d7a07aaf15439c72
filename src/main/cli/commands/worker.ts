/** `convscope worker`: the compute worker on stdin and stdout, as `ssh host convscope worker` uses it. */
import { spawn } from 'node:child_process'
import type { Command } from 'commander'
import { localLaunch } from '../../sessions/launcher.ts'
import { withCommonOptions, type Act } from '../context.ts'
import { EXIT } from '../follow-run.ts'
import type { Register } from '../program.ts'

export function addWorker(program: Command, register: Register): void {
  const command = withCommonOptions(program.command('worker'))
    .summary('the compute worker on stdin and stdout')
    .description('Speaks the worker protocol (framed MessagePack) on stdin and stdout; its log goes to stderr.')
  register(command, [], worker)
}

const worker: Act<object> = async ({ surroundings }) => {
  const { argv, env } = localLaunch({ workerPath: surroundings.workerPath })
  const [program, ...args] = argv
  const child = spawn(program, args, { env: { ...env }, stdio: 'inherit' })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  return code === 0 ? EXIT.done : EXIT.failed
}
