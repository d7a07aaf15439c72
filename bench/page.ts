/**
 * The page as its user meets it, against the limits: start-up, first contentful picture, size of the scripts, idle memory of main.
 * `node bench/page.ts`, after a build.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { startProgram } from '../e2e/fixtures/program.ts'
import { launchBrowser } from '../e2e/targets/browser.ts'
import { median } from './setting.ts'

const LIMITS = { startMs: 3000, pictureMs: 1500, scriptBytes: 1.5e6, memoryBytes: 250e6 }
const VISITS = 5
const IDLE_MS = 5000

const startedAt = performance.now()
const program = await startProgram()
const startMs = performance.now() - startedAt
const browser = await launchBrowser()
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  await page.goto(program.url)
  await page.getByRole('listbox', { name: 'Pictures' }).waitFor()
  const paints: number[] = []
  const pictures: number[] = []
  for (let visit = 0; visit < VISITS; visit++) {
    await page.goto(new URL('/deconvnet', program.url).href)
    await page.getByRole('listbox', { name: 'Projections of the strongest channels' }).waitFor()
    pictures.push(await page.evaluate('performance.now()'))
    paints.push(await page.evaluate(`performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN`))
  }
  await page.waitForTimeout(IDLE_MS)
  const memoryBytes = await residentBytes(program.process.pid ?? 0)
  const scriptBytes = await compressedScripts(join(import.meta.dirname, '..', 'out', 'renderer', 'assets'))
  const rows: [string, number, number, (value: number) => string][] = [
    ['start of the server until its address is printed', startMs, LIMITS.startMs, milliseconds],
    [`first contentful paint, median of ${VISITS} visits`, median(paints), LIMITS.pictureMs, milliseconds],
    [
      `projections on screen, from the history, median of ${VISITS} visits`,
      median(pictures),
      LIMITS.pictureMs,
      milliseconds,
    ],
    ['all scripts of the page, gzipped', scriptBytes, LIMITS.scriptBytes, megabytes],
    [`main, idle for ${IDLE_MS / 1000} s`, memoryBytes, LIMITS.memoryBytes, megabytes],
  ]
  for (const [what, value, limit, format] of rows) {
    process.stdout.write(
      `${what}: ${format(value)}, ratio to the limit of ${format(limit)}: ${(value / limit).toFixed(2)}\n`,
    )
  }
} finally {
  await browser.close()
  await program.stop()
}

async function compressedScripts(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js'))
  const sizes = await Promise.all(names.map(async (name) => gzipSync(await readFile(join(folder, name))).byteLength))
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Resident memory of a process on Linux. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? NaN) * 1024
}

function milliseconds(value: number): string {
  return `${value.toFixed(0)} ms`
}

function megabytes(value: number): string {
  return `${(value / 1e6).toFixed(2)} MB`
}
