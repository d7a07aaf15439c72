import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, test } from '../fixtures/workstation.ts'
import { DeconvnetPage } from '../pages/deconvnet-page.ts'

test('goes from a picture over a channel and its projection to its top pictures and the unit page', async ({
  page,
}) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  await deconvnet.layer('relu1').click()
  await deconvnet.shown(/^relu1 \//)
  await deconvnet.channels.click({ position: { x: 20, y: 20 } })
  await deconvnet.shown('relu1 / 0')

  await deconvnet.inspector.getByRole('link', { name: 'Top pictures of relu1 / 0' }).click()
  await expect(page).toHaveURL(/deconvnet\/top-activations\?/)
  const scanned = deconvnet.parameters.getByRole('spinbutton', { name: 'Pictures to scan' })
  await scanned.fill('300')
  await scanned.press('Enter')
  const projected = deconvnet.parameters.getByRole('spinbutton', { name: 'Number of channels projected' })
  await projected.fill('2')
  await projected.press('Enter')
  await deconvnet.parameters.getByRole('button', { name: 'Run' }).click()

  const unit = page.getByRole('region', { name: 'Unit relu1 / 0' })
  const channels = page.getByRole('region', { name: 'Channels' })
  await expect(channels.getByRole('button', { name: 'Project channel 0', exact: true })).toBeVisible({
    timeout: 60_000,
  })
  await unit.getByRole('button', { name: 'Project this channel' }).click()
  await expect(unit.getByRole('listbox', { name: /^Patches of/ })).toBeVisible({ timeout: 60_000 })
  await expect(channels.getByRole('button', { name: 'Project channel 0', exact: true })).toBeHidden()
  await channels.getByRole('button', { name: '3', exact: true }).click()
  await expect(page.getByRole('region', { name: 'Unit relu1 / 3' })).toBeVisible()
  await expect(page).toHaveURL(/unit=3\b/)
  await expect(page.getByRole('img', { name: /^relu1: projections at the left/ })).toBeVisible()

  await page
    .getByRole('link', { name: /^Picture \d+, activation/ })
    .first()
    .click()
  await deconvnet.shown('relu1 / 3')
})

test('shows two sets of rules side by side with their difference', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  await deconvnet.parameters.getByRole('button', { name: 'Compare with other rules' }).click()
  await expect(page).toHaveURL(/compare=gradient\.sum\.identity\.single/)
  for (const title of ['Projection', 'Other rules', 'Difference']) {
    const heading = page.getByRole('heading', { name: title, exact: true, level: 2 })
    await expect(page.getByRole('figure').filter({ has: heading }).locator('canvas').first()).toBeVisible()
  }
  await deconvnet.parameters.getByRole('button', { name: 'Stop comparing' }).click()
  await expect(deconvnet.pane('Activation')).toBeVisible()
})

test('shows projections as norms and with another gamma, also after a reload', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  const { digest } = await deconvnet.pixels('Projection')
  await deconvnet.changes('Projection', () => deconvnet.pick('Content', 'Norm'))
  expect((await deconvnet.pixels('Projection')).corner, 'nothing is black').toBe(0)
  await deconvnet.changes('Projection', async () => {
    const gamma = page.getByRole('textbox', { name: 'Gamma, typed' })
    await gamma.fill('0.5')
    await gamma.press('Enter')
  })
  const changed = await deconvnet.pixels('Projection')
  await page.reload()
  await deconvnet.shown()
  await expect.poll(async () => (await deconvnet.pixels('Projection')).digest).toBe(changed.digest)
  await deconvnet.parameters.getByRole('button', { name: 'Reset Gamma γ' }).click()
  await deconvnet.pick('Content', 'Colour')
  await expect.poll(async () => (await deconvnet.pixels('Projection')).digest).toBe(digest)
})

test('hides parts of a picture and says what the network thinks of it', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  await page
    .getByRole('navigation', { name: 'Views of the deconvnet' })
    .getByRole('link', { name: 'Occlusion' })
    .click()
  await deconvnet.parameters.getByRole('button', { name: 'Run' }).click()
  const heading = page.getByRole('heading', { name: 'Probability', exact: true, level: 2 })
  await expect(page.getByRole('figure').filter({ has: heading }).locator('canvas').first()).toBeVisible({
    timeout: 60_000,
  })
  await expect(page.getByRole('region', { name: 'Most probable classes' })).toContainText('Most probable class')
})

test('marks parts on two pictures with the pointer and the keys, and compares how features change', async ({
  page,
}) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.open('/deconvnet/correspondence?network=mnist-convnet&dataset=mnist&split=test&index=3')
  const picture = page.getByRole('group', { name: /drag to mark/ })
  // Which waits until it stands still.
  await picture.hover()
  const bounds = await picture.boundingBox()
  if (!bounds) throw new Error('The picture is not in sight')
  const factor = bounds.width / 28
  await page.mouse.move(bounds.x + 4.5 * factor, bounds.y + 5.5 * factor)
  await page.mouse.down()
  await page.mouse.move(bounds.x + 9.5 * factor, bounds.y + 8.5 * factor, { steps: 3 })
  await page.mouse.up()
  const box = page.getByRole('button', { name: /^eyes: rows/ })
  await expect(box).toHaveAccessibleName(/^eyes: rows 5 to 8, columns 4 to 9\./)
  await page.getByRole('button', { name: 'Copy to the next picture' }).click()
  await expect(page).toHaveURL(/index=4\b/)
  await box.press('ArrowDown')
  await box.press('Shift+ArrowRight')
  await expect(box).toHaveAccessibleName(/^eyes: rows 6 to 9, columns 4 to 10\./)
  await expect(deconvnet.parameters.getByText('2 pictures marked.')).toBeVisible()
  await deconvnet.parameters.getByRole('button', { name: 'Run' }).click()
  const table = page.getByRole('region', { name: 'Mean sign differences' })
  await expect(table).toContainText('eyes', { timeout: 30_000 })
  await expect(table).toContainText('random')
})

test('shows which channels of a layer go together', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.open('/deconvnet/activation-statistics?network=mnist-convnet&dataset=mnist&layer=relu1')
  const pictures = deconvnet.parameters.getByRole('spinbutton', { name: 'Pictures to look at' })
  await pictures.fill('200')
  await pictures.press('Enter')
  await deconvnet.parameters.getByRole('button', { name: 'Run' }).click()
  const matrix = page.getByRole('application', { name: /^Correlation/ })
  await expect(matrix).toBeVisible({ timeout: 30_000 })
  await matrix.press('ArrowRight')
  await expect(page.getByLabel('Value in Correlation')).toHaveText(/^channels 0 and 1: /)
  await expect(page.getByRole('region', { name: 'Activations of channel 0' })).toBeVisible()
  await expect(page.getByRole('link', { name: 'correlation-relu1.csv' }).first()).toBeVisible()
})

test('looks at the frames of a data set, a folder and a camera, and gives the camera back', async ({
  page,
}, testInfo) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  await page.getByRole('navigation', { name: 'Views of the deconvnet' }).getByRole('link', { name: 'Live' }).click()
  const speed = page.getByLabel('Speed of the live view')
  await expect(speed).toHaveText(/\d frames\/s · picture \d+/)
  expect(await mayUseCamera(page), 'not yet').toBe(false)
  await deconvnet.layer('conv1').click()
  await expect(deconvnet.unit).toHaveText(/^conv1 \//)
  await page.keyboard.press('Space')
  await expect(speed).toHaveText(/^paused/)
  await deconvnet.changes('Projection', () => deconvnet.channels.press('Home'))
  await expect(deconvnet.unit).toHaveText('conv1 / 0')

  const folder = testInfo.outputPath('pictures')
  await mkdir(folder)
  await writeFile(join(folder, 'part.png'), await page.screenshot({ clip: { x: 400, y: 150, width: 90, height: 60 } }))
  await writeFile(join(folder, 'notes.txt'), 'no picture')
  await deconvnet.pick('Source of the frames', 'Folder')
  await page.locator('input[type=file][webkitdirectory]').setInputFiles(folder)
  await expect(speed).toHaveText(/part\.png/)

  await deconvnet.pick('Source of the frames', 'Camera')
  await expect(speed).toHaveText(/frames\/s · \d+ × \d+/, { timeout: 20_000 })
  expect(await mayUseCamera(page)).toBe(true)
  const { digest } = await deconvnet.pixels('Picture')
  await expect.poll(async () => (await deconvnet.pixels('Picture')).digest, 'it moves').not.toBe(digest)
  console.log(`  live: ${await speed.innerText()}`)

  await page.getByRole('link', { name: 'Projection' }).click()
  await deconvnet.shown()
  await expect.poll(() => mayUseCamera(page).catch(() => undefined), 'no longer').toBe(false)
})

/** Whether the document's policy has the camera. */
const mayUseCamera = (page: Page): Promise<boolean> =>
  page.evaluate(() =>
    (document as unknown as { featurePolicy: { allowsFeature(name: string): boolean } }).featurePolicy.allowsFeature(
      'camera',
    ),
  )
