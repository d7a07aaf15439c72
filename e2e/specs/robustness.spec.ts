import { readFileSync } from 'node:fs'
import type { ChildProcess } from 'node:child_process'
import { startProgram } from '../fixtures/program.ts'
import { expect, test } from '../fixtures/workstation.ts'
import { DeconvnetPage } from '../pages/deconvnet-page.ts'

/** Process ids of the compute workers that a program has started (Linux). */
function workersOf({ pid }: ChildProcess): number[] {
  const children = readFileSync(`/proc/${pid ?? 0}/task/${pid ?? 0}/children`, 'utf8')
  return children
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map(Number)
    .filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('worker'))
}

test.beforeEach(({ target }) => {
  test.skip(target !== 'browser', 'processes and ports of the window belong to Electron')
})

test('goes on after the compute worker was killed', async ({ workstation, program }) => {
  if (!program) throw new Error('There is no program')
  const deconvnet = new DeconvnetPage(workstation.page)
  await deconvnet.shown()
  const [worker] = workersOf(program.process)
  if (worker === undefined) throw new Error('There is no worker')
  const told = await deconvnet.engineSays(/crashed|starting/i)
  process.kill(worker, 'SIGKILL')
  await told.evaluate(({ seen }) => seen)
  await deconvnet.changes('Projection', () => deconvnet.layer('pool2').click())
  await deconvnet.shown(/^pool2 \//)
  await expect(deconvnet.errors).toHaveCount(0)
  expect(workersOf(program.process)).not.toContain(worker)
})

test('says that the program has ended, and what to do', async ({ browserProcess }) => {
  if (!browserProcess) throw new Error('There is no browser')
  const first = await startProgram()
  const page = await browserProcess.newPage()
  try {
    await page.goto(first.url)
    const deconvnet = new DeconvnetPage(page)
    await deconvnet.shown()
    const { port } = new URL(first.url)
    await first.stop()
    await expect(deconvnet.status).toContainText('Connection lost')

    // It has a new token, which this page cannot know.
    const second = await startProgram({ argumentList: ['--port', port] })
    try {
      await expect(deconvnet.status).toContainText('Disconnected', { timeout: 30_000 })
      await page.goto(second.url)
      await deconvnet.shown()
      await expect(deconvnet.status).not.toContainText('Disconnected')
    } finally {
      await second.stop()
    }
  } finally {
    await page.close()
  }
})

test('an address that names nothing is explained, never blank', async ({ workstation }) => {
  const deconvnet = new DeconvnetPage(workstation.page)
  await deconvnet.shown()
  await deconvnet.open('/deconvnet?network=no-such-network')
  await expect(deconvnet.errors.first()).toContainText('no-such-network')

  await deconvnet.open('/deconvnet?layer=no-such-layer')
  await expect(deconvnet.errors.first()).toContainText('no-such-layer')
  await deconvnet.open('/deconvnet?layer=conv1&channel=9999')
  await expect(deconvnet.errors.first()).toContainText('9999')
  await deconvnet.layer('pool1').click()
  await deconvnet.shown(/^pool1 \//)
  await deconvnet.open('/deconvnet?index=99999999&split=test')
  await deconvnet.shown()
  await expect(workstation.page).toHaveURL(/index=9999\b/)
})

test('quick changes end on the last one', async ({ workstation }) => {
  const deconvnet = new DeconvnetPage(workstation.page)
  await deconvnet.shown()
  await deconvnet.pictures.focus()
  for (let step = 0; step < 12; step++) await workstation.page.keyboard.press('ArrowRight')
  await expect(workstation.page).toHaveURL(/index=12\b/)
  await deconvnet.shown()
  await expect(deconvnet.pane('Picture')).toContainText('class 9')
  await expect(deconvnet.errors).toHaveCount(0)
})
