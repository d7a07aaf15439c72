import { join } from 'node:path'
import { fetchEngine } from './engine/fetch.mjs'
import { ensureBuilt, noNode } from './lib/build.mjs'
import { findElectron, hasDisplay } from './lib/electron-runtime.mjs'
import { Failure } from './lib/failure.mjs'
import { repository } from './lib/folders.mjs'
import { ensureInstalled } from './lib/install.mjs'
import { nodeForProgram } from './lib/node24.mjs'
import { createProgress } from './lib/progress.mjs'
import { summarisePlaywright } from './testing/playwright-summary.mjs'
import { describeResults, runCounted, runStage, runTool } from './testing/stages.mjs'

/** `npm test`: everything, from a fresh clone. Ends with one line: N passed, N failed, N skipped. */

const progress = createProgress()
const reports = join(repository, 'test-results')
const inCi = process.env.CI === 'true' || process.env.CI === '1'
const results = []
let node

/** Runs a stage, says how it went, and shows what went wrong. */
async function stage(name, work) {
  const result = await runStage(name, work)
  results.push(result)
  progress.say(`${result.failed > 0 ? 'FAILED' : 'done'}: ${name} (${result.seconds.toFixed(1)} s)`)
  if (result.problem) progress.say(`${result.problem}\n`)
  return result
}

async function engine() {
  try {
    await fetchEngine({
      onProgress: ({ message, done, total }) =>
        progress.update(message, done && Math.round(done / 1e6), total && Math.round(total / 1e6), ' MB'),
    })
  } catch (error) {
    // Without a network the program computes with WebAssembly; CI has to prove the native engine.
    if (!inCi && error.code === 'offline') throw new Failure('skip', `${error.message} ${error.remedy}`)
    throw error
  }
}

const tool = (script, argumentList, more) => runTool({ node, root: repository, script, argumentList, ...more })

async function types() {
  for (const project of ['tsconfig.node.json', 'tsconfig.e2e.json']) await tool('typescript/bin/tsc', ['-p', project])
  await tool('vue-tsc/bin/vue-tsc.js', ['-p', 'tsconfig.web.json'])
}

function unit() {
  const report = join(reports, 'unit.json')
  const reporters = ['--reporter=default', '--reporter=./scripts/testing/vitest-summary.mjs']
  const environment = { CONVSCOPE_SUMMARY: report }
  return runCounted({
    report,
    run: () => tool('vitest/vitest.mjs', ['run', ...reporters], { environment, live: true, limitMinutes: 20 }),
    read: (counts) => counts,
  })
}

async function lint() {
  await tool('eslint/bin/eslint.js', ['--max-warnings', '0', '.'])
  await tool('prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.'])
}

function endToEnd() {
  const report = join(reports, 'e2e.json')
  const environment = { PLAYWRIGHT_JSON_OUTPUT_FILE: report }
  const run = () =>
    tool('@playwright/test/cli.js', ['test', '--reporter=list,json'], { environment, live: true, limitMinutes: 20 })
  return runCounted({ report, run, read: summarisePlaywright })
}

function electronTarget() {
  if (!findElectron()) throw new Failure('skip', 'the Electron runtime is not installed')
  if (!hasDisplay()) throw new Failure('skip', 'there is no display')
}

async function main() {
  const install = await stage('install', async () => {
    await ensureInstalled({ progress })
    node = nodeForProgram()
    if (!node) throw noNode()
  })
  if (install.failed > 0) return
  // Fetching waits for the network; the two checks share the cores meanwhile. Tests with timings have the machine alone.
  const [, build] = await Promise.all([
    stage('native engine', engine),
    stage('build', () => ensureBuilt({ progress, node }).then(() => undefined)),
    stage('lint', lint),
    stage('types', types),
  ])
  await stage('unit', unit)
  await stage('e2e in the browser', () => {
    if (build.failed > 0) throw new Failure('not-run', 'Not run: the build failed.')
    return endToEnd()
  })
  const electron = await runStage('e2e in Electron', electronTarget)
  if (electron.skipped.length > 0) results.push(electron)
}

await main()
progress.clear()
process.exitCode = results.some(({ failed }) => failed > 0) ? 1 : 0
console.log(`\n${describeResults(results)}`)
