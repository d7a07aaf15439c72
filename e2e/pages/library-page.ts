import { expect } from '@playwright/test'
import type { Locator, Page } from '@playwright/test'
import { factIn, ShellPage } from './shell-page.ts'

/** The Library tab: networks and data sets. */
export class LibraryPage extends ShellPage {
  readonly list: Locator
  readonly about: Locator
  readonly layers: Locator
  readonly filters: Locator
  readonly classCounts: Locator
  readonly pictures: Locator
  readonly openInDeconvnet: Locator

  constructor(page: Page) {
    super(page)
    const main = page.getByRole('main')
    this.list = page.getByRole('complementary', { name: 'Library' })
    this.about = main.getByRole('region', { name: 'About' })
    this.layers = main.getByRole('region', { name: 'Layers' })
    this.filters = main.getByRole('listbox', { name: /^Filters of/ })
    this.classCounts = main.getByRole('region', { name: 'Pictures a class' })
    this.pictures = main.getByRole('listbox', { name: 'Pictures' })
    this.openInDeconvnet = main.getByRole('link', { name: 'Open in Deconvnet' })
  }

  fact(name: string): Locator {
    return factIn(this.about, name)
  }

  async openEntry(title: string): Promise<void> {
    await this.goTo('Library')
    await this.list.getByRole('link', { name: title }).click()
    await expect(this.page.getByRole('heading', { level: 1, name: title })).toBeVisible()
  }

  /** The cells of a layer's row, as text. */
  async layerRow(name: string): Promise<string[]> {
    const row = this.layers.getByRole('row').filter({ has: this.page.getByRole('cell', { name, exact: true }).first() })
    return row.first().getByRole('cell').allInnerTexts()
  }
}
