import { expect } from '@playwright/test'
import type { Locator, Page } from '@playwright/test'
import { pixelsOf } from './pixels.ts'
import type { Pixels } from './pixels.ts'
import { ShellPage } from './shell-page.ts'

/** The first run may have to wait for an engine that is chosen first, on a busy machine. */
const firstRunMs = 90_000

/** The Regularisers tab: unit and settings at the left, pictures and curves, changes and snapshots at the right. */
export class RegularisersPage extends ShellPage {
  readonly parameters: Locator
  readonly inspector: Locator
  readonly start: Locator
  readonly pause: Locator
  readonly goOn: Locator
  readonly stop: Locator
  /** The iteration that is shown while a run is under way. */
  readonly iteration: Locator
  readonly changes: Locator
  readonly found: Locator
  readonly draws: Locator
  /** The family of the run in sight. */
  readonly branches: Locator

  constructor(page: Page) {
    super(page)
    this.parameters = page.getByRole('complementary', { name: 'Parameters' })
    this.inspector = page.getByRole('complementary', { name: 'Inspector' })
    this.start = page.getByRole('button', { name: 'Start', exact: true })
    this.pause = page.getByRole('button', { name: 'Pause', exact: true })
    this.goOn = page.getByRole('button', { name: 'Go on', exact: true })
    this.stop = page.getByRole('main').getByRole('button', { name: 'Stop', exact: true })
    this.iteration = page.getByRole('status').filter({ hasText: /^(Iteration|Paused at) \d/ })
    this.changes = this.inspector.getByRole('list', { name: 'Changes while it ran' })
    this.found = page.getByRole('group', { name: 'Pictures that were found' })
    this.branches = this.inspector.getByRole('list', { name: 'Branches' })
    this.draws = page.getByRole('listbox', { name: 'Draws of the search' })
  }

  slider(name: string): Locator {
    return this.parameters.getByRole('slider', { name, exact: true })
  }

  async type(field: string, value: string): Promise<void> {
    const input = this.parameters.getByRole('textbox', { name: `${field}, typed`, exact: true })
    await input.fill(value)
    await input.press('Enter')
  }

  async count(field: string, value: number): Promise<void> {
    const input = this.parameters.getByRole('spinbutton', { name: field, exact: true })
    await input.fill(String(value))
    await input.press('Enter')
  }

  /** What is drawn of the pictures that climb. */
  pixels(): Promise<Pixels> {
    const heading = this.page.getByRole('heading', { name: 'Pictures', exact: true, level: 2 })
    return pixelsOf(this.page.getByRole('figure').filter({ has: heading }).locator('canvas').first())
  }

  /** Waits until the networks are known: the first time an engine may have to be chosen. */
  async ready(): Promise<void> {
    await expect(this.start).toBeEnabled({ timeout: firstRunMs })
  }

  /** Waits until the first picture climbs. */
  async climbs(): Promise<void> {
    await expect(this.iteration).toBeVisible({ timeout: firstRunMs })
    await expect.poll(async () => (await this.pixels()).levels).toBeGreaterThan(1)
  }

  async iterationNow(): Promise<number> {
    const [first = ''] = ((await this.iteration.textContent()) ?? '').split(',')
    return Number(first.replace(/\D/g, ''))
  }

  async done(): Promise<void> {
    await expect(this.found).toBeVisible({ timeout: firstRunMs })
  }
}
