import { expect } from '@playwright/test'
import type { Download, Locator, Page } from '@playwright/test'
import { factIn, ShellPage } from './shell-page.ts'

/** The Experiments tab: runs at the left, one of them or what was looked at in the middle, provenance at the right. */
export class ExperimentsPage extends ShellPage {
  readonly runs: Locator
  readonly run: Locator
  readonly title: Locator
  readonly document: Locator
  readonly outputs: Locator
  readonly inspector: Locator
  readonly looks: Locator

  constructor(page: Page) {
    super(page)
    this.runs = page.getByRole('listbox', { name: 'Runs' })
    this.run = page.getByRole('main')
    this.title = this.run.getByRole('heading', { level: 1 })
    this.document = this.run.getByLabel('Document as JSON')
    this.outputs = this.run.getByRole('region', { name: 'Outputs' })
    this.inspector = page.getByRole('complementary', { name: 'Inspector' })
    this.looks = this.run.getByRole('region', { name: 'Looks' })
  }

  row(title: string | RegExp): Locator {
    return this.runs.getByRole('option').filter({ hasText: title })
  }

  fact(name: string): Locator {
    return factIn(this.inspector, name)
  }

  async openNewest(): Promise<void> {
    await this.runs.getByRole('option').first().click()
    await expect(this.document).toBeVisible()
  }

  /** Waits until the open run has ended well. */
  async done(): Promise<void> {
    await expect(this.run.getByText(/· done ·/)).toBeVisible()
  }

  async rename(title: string): Promise<void> {
    await this.run.getByRole('button', { name: 'Rename' }).click()
    await this.run.getByRole('textbox', { name: 'Title of the run' }).fill(title)
    await this.page.keyboard.press('Enter')
  }

  async export(): Promise<Download> {
    const download = this.page.waitForEvent('download')
    await this.run.getByRole('button', { name: 'Export .zip' }).click()
    return download
  }

  async delete(): Promise<void> {
    await this.run.getByRole('button', { name: 'Delete' }).click()
  }

  async undo(): Promise<void> {
    await this.page.getByRole('button', { name: 'Undo' }).click()
  }
}
