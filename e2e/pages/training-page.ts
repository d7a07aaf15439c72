import { expect } from '@playwright/test'
import type { Locator, Page } from '@playwright/test'
import { ExperimentsPage } from './experiments-page.ts'
import { factIn } from './shell-page.ts'

/** The form of a training, and the page of its run. */
export class TrainingPage extends ExperimentsPage {
  readonly form: Locator
  readonly loss: Locator
  readonly errorCurves: Locator
  readonly result: Locator
  readonly confusion: Locator
  readonly mistakes: Locator

  constructor(page: Page) {
    super(page)
    this.form = page.getByRole('main')
    this.loss = this.run.getByRole('region', { name: 'Loss', exact: true })
    this.errorCurves = this.run.getByRole('region', { name: 'Errors', exact: true })
    this.result = this.run.getByRole('region', { name: 'Result', exact: true })
    this.confusion = this.run.getByRole('region', { name: 'Confusion matrix' })
    this.mistakes = this.run.getByRole('region', { name: 'Mistakes' })
  }

  async fill(field: string, value: string): Promise<void> {
    const input = this.form.getByLabel(field, { exact: true })
    await input.fill(value)
    await input.press('Tab')
  }

  /** Starts what was typed and waits for the page of its run. @returns its address */
  async start(): Promise<string> {
    await this.form.getByRole('button', { name: 'Start training' }).click()
    await expect(this.page).toHaveURL(/\/experiments\/[^/]+$/)
    return this.page.url()
  }

  resultFact(name: string): Locator {
    return factIn(this.result, name)
  }
}
