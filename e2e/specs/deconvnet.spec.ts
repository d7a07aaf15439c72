import { gzipSync } from 'node:zlib'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../../scripts/lib/folders.mjs'
import { startProgram } from '../fixtures/program.ts'
import { expect, test } from '../fixtures/workstation.ts'
import { DeconvnetPage } from '../pages/deconvnet-page.ts'
import { ExperimentsPage } from '../pages/experiments-page.ts'
import { pixelsOf } from '../pages/pixels.ts'

const midGrey = 128

test('opens on a digit with its strongest channel projected', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()

  await expect(page).toHaveTitle('Deconvnet · ConvScope')
  await expect(deconvnet.layers.getByRole('radio')).toHaveCount(12)
  await expect(deconvnet.layer('relu2')).toBeChecked()
  await expect(deconvnet.fact('Rank')).toHaveText('1 of 64')
  await expect(deconvnet.inspector.getByRole('region', { name: 'Prediction' })).toContainText('true')

  const digit = await deconvnet.pixels('Picture')
  expect(digit.width % 28, 'scaled by a whole factor').toBe(0)
  expect(digit.levels).toBeGreaterThan(20)
  const projection = await deconvnet.pixels('Projection')
  expect(projection.standardDeviation, 'not a grey picture').toBeGreaterThan(3)
  expect(projection.levels).toBeGreaterThan(20)
  expect(Math.abs(projection.corner - midGrey), 'zero is mid-grey').toBeLessThanOrEqual(1)
  for (const grid of [deconvnet.channels, deconvnet.projections, deconvnet.pictures]) {
    expect((await pixelsOf(grid.locator('canvas'))).levels).toBeGreaterThan(20)
  }
})

test('follows every choice at once', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  const times: Record<string, number> = {}

  times['digit'] = await deconvnet.changes('Projection', async () => {
    await deconvnet.pictures.press('ArrowRight')
  })
  await expect(page).toHaveURL(/index=1\b/)
  times['layer'] = await deconvnet.changes('Projection', () => deconvnet.layer('conv1').click())
  await deconvnet.shown(/^conv1 \//)
  times['channel'] = await deconvnet.changes('Projection', () =>
    deconvnet.channels.click({ position: { x: 20, y: 20 } }),
  )
  await expect(page).toHaveURL(/channel=0\b/)
  await deconvnet.shown('conv1 / 0')
  times['place'] = await deconvnet.changes('Projection', () => deconvnet.choosePlace(12, 7, { rows: 24, columns: 24 }))
  await expect(page).toHaveURL(/row=12&column=7/)
  await expect(deconvnet.fact('Place')).toHaveText('row 12, column 7')
  await expect(deconvnet.fact('Pixels')).toHaveText('rows 12–16, columns 7–11')
  times['strongest place'] = await deconvnet.changes('Projection', () =>
    deconvnet.inspector.getByRole('link', { name: /strongest place/ }).click(),
  )
  times['layer above'] = await deconvnet.changes('Projection', () => deconvnet.layer('pool2').click())

  const listed = Object.entries(times).map(([what, time]) => `${what} ${time.toFixed(0)} ms`)
  console.log(`  from a choice to its picture: ${listed.join(', ')}`)
})

test('is used by keyboard alone', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()

  await page.keyboard.press(']')
  await deconvnet.shown(/^pool2 \//)
  await page.keyboard.press('[')
  await page.keyboard.press('[')
  await deconvnet.shown(/^conv2 \//)
  await page.keyboard.press('.')
  await expect(page).toHaveURL(/index=1\b/)
  await page.keyboard.press(',')
  await expect(page).toHaveURL(/index=0\b/)

  await deconvnet.layer('conv2').press('ArrowRight')
  await deconvnet.shown(/^relu2 \//)
  const strongest = await deconvnet.unit.innerText()
  await deconvnet.projections.press('ArrowRight')
  await expect(deconvnet.fact('Rank')).toHaveText('2 of 64')
  await expect(deconvnet.unit).not.toHaveText(strongest)
  await page.keyboard.press('s')
  await expect(deconvnet.unit).toHaveText(strongest)

  await deconvnet.canvas('Activation').focus()
  const before = await deconvnet.fact('Place').innerText()
  await page.keyboard.press('ArrowUp')
  await expect(deconvnet.fact('Place')).not.toHaveText(before)
  await expect(page).toHaveURL(/row=\d+&column=\d+/)

  await deconvnet.command('layer dense1')
  await deconvnet.shown(/^dense1 \//)
  await expect(deconvnet.fact('Receptive field')).toHaveText('the whole input')
})

test('shows what another rule changes, and puts it back', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  const { digest } = await deconvnet.pixels('Projection')

  await deconvnet.changes('Projection', () => deconvnet.choose('ReLU rule', 'Guided'))
  await expect(page).toHaveURL(/relu=guided/)
  await deconvnet.changes('Projection', () => deconvnet.choose('ReLU rule', 'Gradient'))
  await deconvnet.parameters.getByRole('button', { name: 'Reset ReLU rule' }).click()
  await expect.poll(async () => (await deconvnet.pixels('Projection')).digest).toBe(digest)

  await deconvnet.changes('Projection', () => deconvnet.pick('Colour map', 'Diverging'))
  await deconvnet.pick('Colour map', 'Grey')
})

test('keeps its state in the address', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  const first = await deconvnet.unit.innerText()
  await deconvnet.layer('conv1').click()
  await deconvnet.shown(/^conv1 \//)
  await deconvnet.pictures.press('ArrowRight')
  await expect(page).toHaveURL(/index=1\b/)
  await deconvnet.shown(/^conv1 \//)

  await page.goBack()
  await expect(page).toHaveURL(/index=0\b/)
  await deconvnet.shown(/^conv1 \//)
  await page.goBack()
  await deconvnet.shown(first)
  await page.goForward()
  await deconvnet.shown(/^conv1 \//)

  await deconvnet.open(
    '/deconvnet?network=mnist-convnet&dataset=mnist&split=train&index=77&layer=conv2&channel=9&row=2&column=5',
  )
  await deconvnet.shown('conv2 / 9')
  await expect(deconvnet.fact('Place')).toHaveText('row 2, column 5')
  await page.reload()
  await deconvnet.shown('conv2 / 9')
  await expect(deconvnet.fact('Pixels')).toHaveText('rows 4–17, columns 10–23')
})

test('keeps what is shown as a run with its provenance', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.open('/deconvnet?layer=conv1&index=4')
  await deconvnet.shown(/^conv1 \//)
  await deconvnet.keepButton.click()
  await deconvnet.page.getByRole('button', { name: 'Open', exact: true }).click()

  const experiments = new ExperimentsPage(page)
  await experiments.done()
  await expect(experiments.title).toContainText('conv1')
  await expect(experiments.row(/conv1/).first()).toBeVisible()
  for (const name of ['Program', 'Engine', 'Device', 'Kernels', 'Platform', 'mnist-convnet', 'mnist', 'Document']) {
    await expect(experiments.fact(name)).not.toBeEmpty()
  }
  await experiments.run.getByRole('button', { name: 'Open in Deconvnet' }).click()
  await deconvnet.shown(/^conv1 \//)
})

test('a second look is answered from the history', async ({ page }) => {
  const address = '/deconvnet?split=train&index=1234&layer=relu1'
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.open(address)
  await deconvnet.shown(/^relu1 \//)
  await expect(deconvnet.fact('Computed')).toHaveText(/now, in/)
  const { digest } = await deconvnet.pixels('Projection')
  await deconvnet.open('/deconvnet?split=train&index=1235&layer=relu1')
  await expect(deconvnet.fact('Computed')).toHaveText(/now, in/)
  await deconvnet.open(address)
  await expect(deconvnet.fact('Computed')).toHaveText('from the history')
  await expect.poll(async () => (await deconvnet.pixels('Projection')).digest).toBe(digest)
})

test('finds the history of a project that was closed', async ({ browserProcess, target }, testInfo) => {
  test.skip(target !== 'browser' || !browserProcess, 'the window is started by the fixture')
  const projectFolder = testInfo.outputPath('project')
  const computed: string[] = []
  for (const turn of ['first', 'second']) {
    const program = await startProgram({ projectFolder })
    const page = await browserProcess?.newPage()
    try {
      await page?.goto(program.url)
      if (!page) throw new Error(`There is no page for the ${turn} turn`)
      const deconvnet = new DeconvnetPage(page)
      await deconvnet.shown()
      computed.push(await deconvnet.fact('Computed').innerText())
    } finally {
      await page?.close()
      await program.stop()
    }
  }
  expect(computed[0]).toMatch(/^now, in/)
  expect(computed[1]).toBe('from the history')
})

test('the first picture comes quickly and the script is small', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  await page.reload()
  const start = performance.now()
  await deconvnet.shown()
  const untilPicture = performance.now() - start
  const { firstPaint, scripts } = await page.evaluate(() => ({
    firstPaint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
    scripts: performance
      .getEntriesByType('resource')
      .map(({ name }) => new URL(name).pathname)
      .filter((path) => path.endsWith('.js')),
  }))
  expect(scripts.length).toBeGreaterThan(0)
  const files = [...new Set(scripts)].map((path) => readFileSync(join(repository, 'out', 'renderer', path)))
  const packed = files.reduce((sum, file) => sum + gzipSync(file).length, 0)
  console.log(
    `  first contentful paint ${firstPaint?.toFixed(0) ?? '?'} ms, projection ${untilPicture.toFixed(0)} ms after a reload;` +
      ` ${files.length} scripts, ${(packed / 1000).toFixed(0)} kB with gzip`,
  )
})
