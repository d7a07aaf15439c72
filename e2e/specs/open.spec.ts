import { expect, test } from '../fixtures/workstation.ts'

test('the workstation opens', async ({ page }) => {
  await expect(page).toHaveTitle(/^ConvScope/)
})
