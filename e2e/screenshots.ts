/**
 * Takes the screenshots of docs/images from the real program on a temporary project:
 * `node e2e/screenshots.ts` after a build, with Node 24. Needs the packaged Chromium (Linux x64).
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { repository } from '../scripts/lib/folders.mjs'
import { convscope } from './fixtures/command.ts'
import { startProgram } from './fixtures/program.ts'
import { DeconvnetPage } from './pages/deconvnet-page.ts'
import { ExperimentsPage } from './pages/experiments-page.ts'
import { LibraryPage } from './pages/library-page.ts'
import { RegularisersPage } from './pages/regularisers-page.ts'
import { SettingsPage } from './pages/settings-page.ts'
import { launchBrowser } from './targets/browser.ts'

const folder = join(repository, 'docs', 'images')
const viewport = { width: 1280, height: 800 }

async function take(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0)
  const file = join(folder, `${name}.png`)
  const { length: size } = await page.screenshot({ path: file, animations: 'disabled' })
  process.stdout.write(`${file}: ${(size / 1000).toFixed(0)} kB\n`)
}

async function takeAll(page: Page, projectFolder: string): Promise<void> {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  await deconvnet.open('/deconvnet?network=mnist-convnet&dataset=mnist&split=test&index=0&layer=conv2')
  await deconvnet.shown(/^conv2 \//)
  await take(page, 'deconvnet-light')
  await page.emulateMedia({ colorScheme: 'dark' })
  await deconvnet.pick('Colour map', 'Diverging')
  await deconvnet.shown()
  await take(page, 'deconvnet-dark')
  await deconvnet.pick('Colour map', 'Grey')
  await page.emulateMedia({ colorScheme: 'light' })

  const library = new LibraryPage(page)
  await library.openEntry('MNIST convnet')
  await library.filters.waitFor()
  await take(page, 'library')

  await library.openEntry('Small AlexNet for 32×32')
  await page.getByRole('link', { name: 'Graph' }).click()
  await take(page, 'network')

  const regularisers = new RegularisersPage(page)
  await regularisers.open('/regularisers?network=mnist-convnet&layer=dense2&channel=3')
  await regularisers.count('Iterations', 300)
  await regularisers.start.click()
  await regularisers.done()
  await take(page, 'regularisers')

  const study = join(repository, 'examples', 'top-activations-cifar.json')
  const { out } = await convscope(['run', study, '--project', projectFolder, '--json'])
  await page.goto(new URL(`/experiments/${runIdOf(out)}`, page.url()).href)
  await page.getByRole('main').getByText('relu4', { exact: true }).click()
  await page.getByText('Projections', { exact: true }).waitFor()
  await take(page, 'top-activations')

  const example = join(repository, 'examples', 'deconvnet-mnist.json')
  for (const [layer, index] of [
    ['pool1', 4],
    ['conv1', 2],
    ['conv2', 0],
  ] as const) {
    const changes = ['--set', `layer=${layer}`, '--set', `picture.index=${index}`]
    await convscope(['run', example, '--project', projectFolder, '--json', ...changes])
  }
  const experiments = new ExperimentsPage(page)
  await experiments.goTo('Experiments')
  await experiments.row(/conv2/).first().waitFor()
  await experiments.openNewest()
  await experiments.done()
  await experiments.outputs.waitFor()
  await take(page, 'experiments')

  const settings = new SettingsPage(page)
  await settings.goTo('Settings')
  await settings.fact('Health').waitFor()
  await take(page, 'settings')
}

/** From what `convscope run --json` prints. */
function runIdOf(answer: string): string {
  const run: unknown = JSON.parse(answer)
  if (typeof run === 'object' && run !== null && 'id' in run && typeof run.id === 'string') return run.id
  throw new Error(`no run in ${answer.slice(0, 200)}`)
}

await mkdir(folder, { recursive: true })
const program = await startProgram()
const browser = await launchBrowser()
try {
  const context = await browser.newContext({ viewport, colorScheme: 'light', reducedMotion: 'reduce' })
  const page = await context.newPage()
  await page.goto(program.url)
  await takeAll(page, program.projectFolder)
} finally {
  await browser.close()
  await program.stop()
}
