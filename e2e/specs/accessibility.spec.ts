import type { Page } from '@playwright/test'
import { expect, test } from '../fixtures/workstation.ts'
import { DeconvnetPage } from '../pages/deconvnet-page.ts'
import type { Area } from '../pages/shell-page.ts'

const controls = [
  'button',
  'link',
  'textbox',
  'searchbox',
  'combobox',
  'spinbutton',
  'radio',
  'checkbox',
  'listbox',
] as const

/** Controls that assistive technology would announce without a name; in a page that still changes, also new ones. */
async function nameless(page: Page): Promise<string[]> {
  const found: string[] = []
  for (const role of controls) {
    await page.getByRole(role, { name: /\S/ }).evaluateAll((elements) => {
      for (const element of elements) Object.assign(element, { isNamed: true })
    })
    const texts = await page
      .getByRole(role)
      .evaluateAll((elements) =>
        elements.filter((element) => !('isNamed' in element)).map((element) => element.outerHTML.slice(0, 160)),
      )
    found.push(...texts.map((text) => `${role}: ${text}`))
  }
  return found
}

/** Tabs through the page; what got the focus, by role or tag and name, and whether one could see it. */
async function tabOrder(page: Page, steps: number): Promise<{ name: string; visible: boolean }[]> {
  const order: { name: string; visible: boolean }[] = []
  for (let step = 0; step < steps; step++) {
    await page.keyboard.press('Tab')
    order.push(
      await page.evaluate(() => {
        const element = document.activeElement
        if (!(element instanceof HTMLElement) || element === document.body) return { name: 'body', visible: true }
        const name = element.getAttribute('aria-label') ?? element.innerText
        // The visible part of a field may be the box around it.
        let ring = false
        for (let box: HTMLElement | null = element, depth = 0; box && depth < 4; box = box.parentElement, depth++) {
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(box)
          ring ||= (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none'
        }
        return { name: name.trim().split('\n')[0] ?? '', visible: ring }
      }),
    )
  }
  return order
}

for (const area of ['Deconvnet', 'Regularisers', 'Library', 'Experiments', 'Settings'] satisfies Area[]) {
  test(`every control of ${area} has a name`, async ({ page }) => {
    const deconvnet = new DeconvnetPage(page)
    await deconvnet.shown()
    await deconvnet.goTo(area)
    await expect(page.getByRole('main')).toBeVisible()
    await expect.poll(() => nameless(page)).toEqual([])
  })
}

test('the focus can be seen wherever it goes, and reaches the main controls', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  const order = await tabOrder(page, 80)
  const unseen = order.flatMap(({ name, visible }, step) => (visible ? [] : [`${name} after ${step + 1} tabs`]))
  expect(unseen).toEqual([])
  const names = order.map(({ name }) => name)
  for (const wanted of ['Deconvnet', 'Network', 'Layer', 'Index of the picture', 'Pictures', 'ReLU rule', 'Keep']) {
    expect(names, `Tab reaches ${wanted}`).toContain(wanted)
  }
})

test('dialogs take the focus and give it back', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  await deconvnet.layer('relu2').focus()
  await deconvnet.openPalette()
  await expect(deconvnet.search).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(deconvnet.palette).toBeHidden()
  await expect(deconvnet.layer('relu2')).toBeFocused()

  await page.keyboard.press('?')
  await expect(deconvnet.keys).toContainText('Layer above')
  await page.keyboard.press('Escape')
  await expect(deconvnet.keys).toBeHidden()
})

test('the inspector is a drawer where there is little width', async ({ page }) => {
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  await page.setViewportSize({ width: 1000, height: 700 })
  await expect(deconvnet.inspector).toBeHidden()
  await page.getByRole('button', { name: 'Show Inspector' }).click()
  await expect(deconvnet.unit).toBeVisible()
  await page.getByRole('button', { name: 'Hide Inspector' }).click()
  await expect(deconvnet.inspector).toBeHidden()
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(overflow, 'nothing hangs out of the window').toBeLessThanOrEqual(0)
})
