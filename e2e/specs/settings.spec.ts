import { expect, test } from '../fixtures/workstation.ts'
import { DeconvnetPage } from '../pages/deconvnet-page.ts'
import { SettingsPage } from '../pages/settings-page.ts'

/** Another number of threads is another calibration. */
const calibrated = { timeout: 60_000 }

test('lists the engines with a reason for each', async ({ page }) => {
  const settings = new SettingsPage(page)
  await settings.goTo('Settings')
  await expect(settings.engines.getByRole('row')).toHaveCount(6)
  await expect(settings.engines.getByText('in use')).toHaveCount(1)
  for (const row of (await settings.engines.getByRole('row').all()).slice(1)) {
    await expect(row.getByRole('cell').nth(2)).not.toBeEmpty()
  }
  await expect(settings.fact('Health')).toHaveText('all is well')
})

test('keeps the appearance that was chosen', async ({ page }) => {
  const settings = new SettingsPage(page)
  await settings.goTo('Settings')
  for (const [name, shown] of [
    ['Dark', 'dark'],
    ['Light', 'light'],
    ['Dark', 'dark'],
  ] as const) {
    await settings.chooseTheme(name)
    await expect.poll(() => settings.theme()).toBe(shown)
  }
  await page.reload()
  await expect.poll(() => settings.theme()).toBe('dark')
  await settings.goTo('Deconvnet')
  await new DeconvnetPage(page).shown()
  await settings.goTo('Settings')
  await settings.chooseTheme('System')
  await expect.poll(() => settings.theme()).toBe('light')
})

test('starts the engine again, also with other threads', async ({ page }) => {
  test.slow()
  const settings = new SettingsPage(page)
  await settings.goTo('Settings')
  await expect(settings.engines.getByText('in use')).toBeVisible()
  await settings.restart.click()
  await expect(settings.toast('The engine was started again')).toBeVisible()

  const before = await settings.threads.inputValue()
  await settings.threads.fill('1')
  await settings.threads.press('Enter')
  await expect(settings.status.getByText('1 thread', { exact: true })).toBeVisible(calibrated)
  await settings.goTo('Deconvnet')
  await new DeconvnetPage(page).shown()

  await settings.goTo('Settings')
  await settings.threads.fill(before)
  await settings.threads.press('Enter')
  await expect(settings.status.getByText(new RegExp(`^${before} threads?$`))).toBeVisible(calibrated)
})
