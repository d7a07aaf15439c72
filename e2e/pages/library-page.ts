import { expect, test } from '@playwright/test'
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
  readonly origin: Locator
  readonly importName: Locator
  readonly dataName: Locator
  readonly importButton: Locator

  constructor(page: Page) {
    super(page)
    const main = page.getByRole('main')
    this.list = page.getByRole('complementary', { name: 'Library' })
    this.about = main.getByRole('region', { name: 'About' })
    this.layers = main.getByRole('region', { name: 'Layers' })
    this.filters = main.getByRole('listbox', { name: /^Filters of/ })
    this.classCounts = main.getByRole('region', { name: 'Pictures a class' })
    this.pictures = main.getByRole('listbox', { name: 'Pictures' })
    this.origin = main.getByRole('region', { name: 'Origin' })
    this.importName = main.getByLabel('Name of the network')
    this.dataName = main.getByLabel('Name of the data set')
    this.importButton = main.getByRole('button', { name: 'Import', exact: true })
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

  async openImport(): Promise<void> {
    await this.goTo('Library')
    await this.list.getByRole('region', { name: 'Networks' }).getByRole('link', { name: 'Import …' }).click()
    await expect(this.page.getByRole('heading', { level: 1, name: 'Import a network' })).toBeVisible()
  }

  async openDataImport(): Promise<void> {
    await this.goTo('Library')
    await this.list.getByRole('region', { name: 'Data sets' }).getByRole('link', { name: 'Import …' }).click()
    await expect(this.page.getByRole('heading', { level: 1, name: 'Import a data set' })).toBeVisible()
  }

  async chooseFolder(folder: string): Promise<void> {
    await this.page.getByRole('main').locator('input[webkitdirectory]').setInputFiles(folder)
  }

  async chooseFiles(files: string[]): Promise<void> {
    await this.page.getByRole('main').locator('input[type=file]:not([webkitdirectory])').setInputFiles(files)
  }

  /** Imports files and waits for the page of the network. */
  async importNetwork(
    files: string[],
    { name, architecture }: { name: string; architecture?: string | undefined },
  ): Promise<void> {
    await this.openImport()
    await this.chooseFiles(files)
    await this.importName.fill(name)
    if (architecture !== undefined) await this.chooseByNote('Architecture', architecture)
    await this.importButton.click()
    await expect(this.page).toHaveURL(new RegExp(`/library/networks/${name}$`), { timeout: 60_000 })
    await expect(this.fact('Name')).toHaveText(name)
  }

  /** Removes the network or data set that is shown. */
  async removeEntry(): Promise<void> {
    await this.page.getByRole('button', { name: 'Remove …' }).click()
    await this.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await expect(this.page.getByRole('dialog')).toBeHidden()
  }

  /** Exports the network that is shown; where the file lies, and what it would be called. */
  async exportAs(format: string): Promise<{ name: string; path: string }> {
    await this.page.getByRole('button', { name: 'Export …' }).click()
    const saving = this.page.waitForEvent('download')
    await this.page.getByRole('dialog').getByRole('button', { name: format }).click()
    const download = await saving
    const name = download.suggestedFilename()
    const path = test.info().outputPath(name)
    await download.saveAs(path)
    return { name, path }
  }

  /** Drops a text file on the middle of the page. */
  async dropFile(name: string, text: string): Promise<void> {
    const transfer = await this.page.evaluateHandle(
      ([fileName, contents]) => {
        const data = new DataTransfer()
        data.items.add(new File([contents ?? ''], fileName ?? ''))
        return data
      },
      [name, text],
    )
    const main = this.page.getByRole('main')
    await main.dispatchEvent('dragenter', { dataTransfer: transfer })
    await main.dispatchEvent('drop', { dataTransfer: transfer })
  }

  /** One of the views of a network. */
  async view(name: string): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Views of the network' }).getByRole('link', { name }).click()
  }

  /** Chooses the option with this quiet text behind its title. */
  private async chooseByNote(list: string, note: string): Promise<void> {
    await this.page.getByRole('combobox', { name: list, exact: true }).click()
    await this.page.getByRole('option', { name: new RegExp(`\\b${note}$`) }).click()
  }

  /** The cells of a layer's row, as text. */
  async layerRow(name: string): Promise<string[]> {
    const row = this.layers.getByRole('row').filter({ has: this.page.getByRole('cell', { name, exact: true }).first() })
    return row.first().getByRole('cell').allInnerTexts()
  }
}
