import { expect } from '@playwright/test'
import type { JSHandle, Locator, Page } from '@playwright/test'

export type Area = 'Deconvnet' | 'Regularisers' | 'Library' | 'Experiments' | 'Settings'

/** What surrounds every tab: rail, status bar, job drawer, palette, messages. */
export class ShellPage {
  readonly page: Page
  readonly rail: Locator
  readonly status: Locator
  readonly engine: Locator
  readonly jobs: Locator
  readonly palette: Locator
  /** Where the palette's words are typed. */
  readonly search: Locator
  readonly keys: Locator
  readonly errors: Locator

  constructor(page: Page) {
    this.page = page
    this.rail = page.getByRole('navigation', { name: 'Areas' })
    this.status = page.getByRole('contentinfo', { name: 'Status' })
    this.engine = this.status.getByRole('link')
    this.jobs = page.getByRole('region', { name: 'Jobs' })
    this.palette = page.getByRole('dialog', { name: 'Command palette' })
    this.search = this.palette.getByLabel('Search commands')
    this.keys = page.getByRole('dialog', { name: 'All keys' })
    this.errors = page.getByRole('alert')
  }

  async goTo(area: Area): Promise<void> {
    await this.rail.getByRole('link', { name: area }).click()
    await expect(this.page).toHaveTitle(`${area} · ConvScope`)
  }

  /** From now on: `seen` resolves in the page when the engine's state has fitted, however shortly. */
  engineSays(pattern: RegExp): Promise<JSHandle<{ seen: Promise<void> }>> {
    return this.engine.evaluateHandle((element, wanted) => {
      const seen = new Promise<void>((resolve) => {
        const check = (): void => {
          if (wanted.test(element.textContent)) resolve()
        }
        new MutationObserver(check).observe(element, { subtree: true, childList: true, characterData: true })
      })
      return { seen }
    }, pattern)
  }

  /** Opens an address of the workstation, as a link or a bookmark would. */
  async open(path: string): Promise<void> {
    await this.page.goto(new URL(path, this.page.url()).href)
  }

  /** Chooses one of the options of a drop-down list. */
  async choose(list: string, option: string | RegExp, within: Locator | Page = this.page): Promise<void> {
    await within.getByRole('combobox', { name: list, exact: true }).click()
    await this.page.getByRole('option', { name: option }).click()
  }

  /** Chooses one of a few that are all in sight. */
  async pick(group: string, option: string): Promise<void> {
    await this.page.getByRole('radiogroup', { name: group }).getByText(option, { exact: true }).click()
  }

  toast(text: string | RegExp): Locator {
    return this.page.getByRole('status').locator('div').filter({ hasText: text }).last()
  }

  async openPalette(): Promise<void> {
    await this.page.keyboard.press('Control+k')
    await expect(this.palette).toBeVisible()
  }

  /** Types words into the palette and runs the first command that has them. */
  async command(words: string): Promise<void> {
    await this.openPalette()
    await this.search.fill(words)
    await this.page.keyboard.press('Enter')
    await expect(this.palette).toBeHidden()
  }
}

/** The value beside a name in a list of facts. */
export function factIn(region: Locator, name: string): Locator {
  return region.locator('dt', { hasText: new RegExp(`^${name}$`) }).locator('xpath=following-sibling::dd[1]')
}
