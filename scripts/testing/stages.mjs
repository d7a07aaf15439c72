import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../lib/failure.mjs'

/**
 * @typedef {{ passed: number, failed: number, skipped: { name: string, reason: string }[] }} Counts
 * @typedef {Counts & { name: string, seconds: number, problem?: string }} StageResult
 */

const counts = (some = {}) => ({ passed: 0, failed: 0, skipped: [], ...some })

/**
 * Runs one stage and times it. What `work` returns are its counts; undefined counts as one passed, an exception as one
 * failed, and a `Failure` with the code `skip` as one skipped.
 * @returns {Promise<StageResult>}
 */
export async function runStage(name, work) {
  const start = performance.now()
  const finish = (counted, problem) => ({ name, seconds: (performance.now() - start) / 1000, ...counted, problem })
  try {
    return finish((await work()) ?? counts({ passed: 1 }))
  } catch (error) {
    if (error instanceof Failure && error.code === 'skip')
      return finish(counts({ skipped: [{ name, reason: error.message }] }))
    const details = error instanceof Failure ? [error.message, error.remedy].filter(Boolean).join('\n') : error.stack
    return finish(counts({ failed: 1 }), details)
  }
}

/**
 * Runs a tool of node_modules under the given Node.
 * @param {{ node: string, root: string, script: string, argumentList?: string[], environment?: NodeJS.ProcessEnv, live?: boolean, limitMinutes?: number }} options
 *   `live`: its output goes straight to ours; otherwise it is shown only when the tool fails
 * @returns {Promise<number>} its exit code
 * @throws {Failure} tool-failed (not when live), too-slow
 */
export function runTool({ node, root, script, argumentList = [], environment = {}, live = false, limitMinutes = 10 }) {
  return new Promise((resolve, reject) => {
    const child = spawn(node, [join(root, 'node_modules', script), ...argumentList], {
      cwd: root,
      env: { ...process.env, ...environment },
      stdio: live ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
    let late = false
    const limit = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, limitMinutes * 60_000)
    child.on('error', reject)
    child.on('close', (code) => {
      clearTimeout(limit)
      if (late) reject(new Failure('too-slow', `${script} was stopped after ${limitMinutes} minutes.`, output))
      else if (live || code === 0) resolve(code ?? 1)
      else reject(new Failure('tool-failed', `${script} failed (exit code ${code}).`, output.trim()))
    })
  })
}

/**
 * Runs a test runner that leaves a report, and counts that. A runner that fails though no test did counts as one more
 * failure, and so does one that ran no test.
 * @param {{ report: string, run: () => Promise<number>, read: (report: object) => Counts }} options
 * @returns {Promise<Counts>}
 */
export async function runCounted({ report, run, read }) {
  mkdirSync(join(report, '..'), { recursive: true })
  rmSync(report, { force: true })
  const code = await run()
  if (!existsSync(report)) throw new Failure('no-report', `The test runner left no report (exit code ${code}).`)
  const counted = read(JSON.parse(readFileSync(report, 'utf8')))
  if (counted.failed === 0 && (code !== 0 || counted.passed + counted.skipped.length === 0)) {
    console.error(`The test runner ended with code ${code} after ${counted.passed} passed tests.`)
    return { ...counted, failed: 1 }
  }
  return counted
}

/** The table of stages, the skipped things with their reasons, and the one closing line. */
export function describeResults(results) {
  const sum = (pick) => results.reduce((total, result) => total + pick(result), 0)
  const width = Math.max(...results.map(({ name }) => name.length))
  const rows = results.map(({ name, seconds, passed, failed, skipped }) => {
    const state = failed > 0 ? 'FAILED' : passed === 0 && skipped.length > 0 ? 'skipped' : 'ok'
    const numbers = [passed, failed, skipped.length].map((count) => String(count).padStart(7)).join('')
    return `${name.padEnd(width)}  ${`${seconds.toFixed(1)} s`.padStart(8)}${numbers}  ${state}`
  })
  const head = `${'stage'.padEnd(width)}  ${'time'.padStart(8)}${['passed', 'failed', 'skipped']
    .map((text) => text.padStart(8))
    .join('')
    .slice(1)}`
  const skipped = results.flatMap((result) => result.skipped)
  const reasons = skipped.map(({ name, reason }) => `skipped: ${name}: ${reason || 'no reason given'}`)
  const closing = `${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed)} failed, ${skipped.length} skipped`
  return [head, ...rows, '', ...reasons, ...(reasons.length > 0 ? [''] : []), closing].join('\n')
}
