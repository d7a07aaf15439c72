import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/**
 * Runs a program to its end and hands its output over line by line.
 * @param {string} command
 * @param {string[]} argumentList
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void, signal?: AbortSignal, shell?: boolean }} [options]
 * @returns {Promise<{ code: number, output: string, missing: boolean }>} `missing`: there is no such program;
 *   `output`: the last 64 KB of stdout and stderr together
 */
export function run(command, argumentList, { cwd, env, onLine, signal, shell = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, argumentList, {
      cwd,
      env,
      shell,
      signal,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
        output = `${output}${line}\n`.slice(-65_536)
        onLine?.(line)
      })
    }
    let failure
    child.on('error', (error) => {
      // After an abort the program still has to end: its files are not ours before that.
      if (error.name === 'AbortError') failure = error
      else if (error.code === 'ENOENT') resolve({ code: 127, output, missing: true })
      else reject(error)
    })
    child.on('close', (code) => (failure ? reject(failure) : resolve({ code: code ?? 1, output, missing: false })))
  })
}

/**
 * Runs a program in the foreground: its stdin, stdout and stderr are ours, signals go on to it, and its exit code is
 * the answer (128 + the signal's number when a signal ended it; 130 for an interrupt).
 * @returns {Promise<number>}
 */
export function runForeground(command, argumentList, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, argumentList, { cwd, env, stdio: 'inherit' })
    const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => {
      // A terminal sends its interrupt to the whole group: the child has it already, we only must not die first.
      const handler = () => (name === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(name))
      process.on(name, handler)
      return [name, handler]
    })
    const finish = (settle) => {
      for (const [name, handler] of handlers) process.off(name, handler)
      settle()
    }
    child.on('error', (error) => finish(() => reject(error)))
    child.on('close', (code, killedBy) =>
      finish(() => resolve(code ?? { SIGHUP: 129, SIGINT: 130, SIGTERM: 143, SIGKILL: 137 }[killedBy] ?? 1)),
    )
  })
}
