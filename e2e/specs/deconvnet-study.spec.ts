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
  await deconvnet.parameters.getByText('All', { exact: true }).click()
  await deconvnet.parameters.getByRole('button', { name: 'Run' }).click()

  const unit = page.getByRole('region', { name: /^Unit relu1 \// })
  await expect(unit).toBeVisible({ timeout: 60_000 })
  await expect(unit.getByRole('listbox', { name: /^Patches of/ })).toBeVisible()
  await page.getByRole('region', { name: 'Channels' }).getByRole('button', { name: '3', exact: true }).click()
  await expect(page.getByRole('region', { name: 'Unit relu1 / 3' })).toBeVisible()
  await expect(page).toHaveURL(/unit=3\b/)
  await expect(page.getByRole('img', { name: /^relu1: projections at the left/ })).toBeVisible()

  await page.getByRole('link', { name: 'Open its projection' }).click()
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
