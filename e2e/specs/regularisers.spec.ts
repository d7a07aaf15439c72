import { readFile } from 'node:fs/promises'
import { expect, test } from '../fixtures/workstation.ts'
import { RegularisersPage } from '../pages/regularisers-page.ts'

const CLASS_3 = '/regularisers?network=mnist-convnet&layer=dense2&channel=3'

test('moves sliders of a running optimisation, pauses it, goes on, and stops it', async ({ page }) => {
  test.setTimeout(150_000)
  const regularisers = new RegularisersPage(page)
  await regularisers.open(CLASS_3)
  await expect(regularisers.start).toBeEnabled()
  await regularisers.count('Iterations', 100_000)
  await regularisers.start.click()
  await regularisers.climbs()
  await expect(page).toHaveURL(/run=/)

  const { digest } = await regularisers.pixels()
  await regularisers.slider('Decay θ').fill('900')
  await expect(regularisers.changes.getByText(/^Decay θ 0\.\d+/)).toBeVisible()
  await expect.poll(async () => (await regularisers.pixels()).digest).not.toBe(digest)
  await regularisers.type('Small norm', '30')
  await expect(regularisers.changes.getByText('Small norm 30.0')).toBeVisible()

  await regularisers.pause.click()
  await expect(regularisers.goOn).toBeVisible()
  await expect(regularisers.iteration).toContainText('Paused at')
  const paused = await regularisers.iterationNow()
  await page.getByRole('heading', { name: 'Pictures', exact: true }).click()
  await page.keyboard.press('Space')
  await expect(regularisers.pause).toBeVisible()
  await expect.poll(() => regularisers.iterationNow()).toBeGreaterThan(paused)

  await regularisers.stop.click()
  await expect(regularisers.start).toBeVisible()
})

test('finishes a run, shows what came of it, and branches from it', async ({ page }) => {
  test.setTimeout(150_000)
  const regularisers = new RegularisersPage(page)
  await regularisers.open(CLASS_3)
  await expect(regularisers.start).toBeEnabled()
  await regularisers.count('Iterations', 60)
  await regularisers.start.click()
  await regularisers.done()
  await expect(regularisers.found.getByRole('status', { name: 'Outcomes' })).toContainText('majority success')
  await expect(regularisers.found.getByRole('region', { name: /^Picture of dense2 \/ 3/ })).toBeVisible()
  await regularisers.pick('Pictures at', 'Majority')

  await regularisers.type('Blur σ', '2')
  await regularisers.count('Iterations', 60)
  await regularisers.inspector.getByRole('spinbutton', { name: 'Iteration to branch from' }).fill('20')
  await page.keyboard.press('Enter')
  await regularisers.inspector.getByRole('button', { name: 'Branch from here' }).click()
  await expect(regularisers.inspector.getByText(/Branched at iteration 20/)).toBeVisible()
  await regularisers.done()
  await expect(regularisers.changes.getByText('Blur σ 2.00')).toBeVisible()

  await page.reload()
  await regularisers.done()
  await regularisers.inspector.getByRole('link', { name: 'its parent' }).click()
  await regularisers.done()
  await expect(regularisers.changes).toBeHidden()
})

test('keeps settings as a preset, exports it and imports it again', async ({ page }, testInfo) => {
  const regularisers = new RegularisersPage(page)
  await regularisers.open(CLASS_3)
  await expect(regularisers.start).toBeEnabled()
  await regularisers.type('Contribution', '77')
  await expect(regularisers.parameters.getByRole('button', { name: 'Reset Contribution, %' })).toBeVisible()
  const presets = regularisers.parameters.getByRole('region', { name: 'Presets' })
  await presets.getByRole('button', { name: 'Save as …' }).click()
  await presets.getByRole('textbox', { name: 'Name of the preset' }).fill('Sparse')
  await presets.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(regularisers.toast('Saved the preset')).toBeVisible()

  const download = page.waitForEvent('download')
  await presets.getByRole('button', { name: 'Export own presets' }).click()
  const file = testInfo.outputPath('presets.json')
  await (await download).saveAs(file)
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
    presets: [{ name: 'Sparse', contributionPercentile: 77 }],
  })

  await presets.getByRole('button', { name: 'Remove preset' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await expect(presets.getByRole('button', { name: 'Remove preset' })).toBeHidden()
  await presets.locator('input[type=file]').setInputFiles(file)
  await expect(regularisers.toast('Imported 1 preset')).toBeVisible()
  await page.reload()
  await regularisers.choose('Preset', /Sparse/, regularisers.parameters)
  await expect(regularisers.parameters.getByRole('textbox', { name: 'Contribution, typed' })).toHaveValue('77')
})

test('refuses what cannot be, at once', async ({ page }) => {
  const regularisers = new RegularisersPage(page)
  await regularisers.open(CLASS_3)
  await expect(regularisers.start).toBeEnabled()
  await regularisers.type('Blur σ', '40')
  await expect(regularisers.start).toBeDisabled()
  await expect(page.getByText('A blur of 40 pixels is wider than the picture of 28 × 28')).toBeVisible()
})

test('searches combinations at random; a star stays after a reload', async ({ page }) => {
  test.setTimeout(150_000)
  const regularisers = new RegularisersPage(page)
  await regularisers.open('/regularisers/search?network=mnist-convnet&layer=dense2&channel=3')
  await regularisers.count('Draws', 8)
  await regularisers.count('Iterations of a draw', 40)
  await regularisers.parameters.getByRole('button', { name: 'Start search' }).click()
  await expect(regularisers.draws).toBeVisible({ timeout: 90_000 })
  await expect(page).toHaveURL(/search\?.*run=/)
  await regularisers.draws.focus()
  await page.keyboard.press('End')
  await page.keyboard.press('s')
  await expect(regularisers.draws.getByRole('option', { name: /^Draw 8, .*starred$/ })).toBeAttached()

  await page.reload()
  await expect(regularisers.inspector.getByText('1 starred')).toBeVisible()
  await regularisers.choose('Marks', 'Starred')
  await expect(regularisers.draws.getByRole('option', { name: /^Draw 8, .*starred$/ })).toBeAttached()
  await regularisers.inspector.getByRole('button', { name: 'Use starred as presets' }).click()
  await expect(regularisers.toast('Saved the preset')).toBeVisible()
})

test('goes from a unit of the deconvnet to its maximisation', async ({ page }) => {
  const regularisers = new RegularisersPage(page)
  await regularisers.open('/deconvnet?network=mnist-convnet&dataset=mnist&split=test&index=0&layer=conv2&channel=5')
  await regularisers.inspector.getByRole('link', { name: 'Maximise conv2 / 5' }).click({ timeout: 40_000 })
  await expect(page).toHaveTitle('Regularisers · ConvScope')
  await expect(regularisers.parameters.getByRole('spinbutton', { name: 'Channel' })).toHaveValue('5')
})
