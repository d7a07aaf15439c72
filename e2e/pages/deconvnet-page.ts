import { expect } from '@playwright/test'
import type { Locator, Page } from '@playwright/test'
import { pixelsOf } from './pixels.ts'
import type { Pixels } from './pixels.ts'
import { factIn, ShellPage } from './shell-page.ts'

export type Pane = 'Picture' | 'Activation' | 'Projection'

const pollMs = [20, 30, 50]
/** A session that has to choose among the engines first, on a busy machine. */
const engineStartMs = 40_000

/** The Deconvnet tab: what is looked at, at the left; pictures; the unit at the right. */
export class DeconvnetPage extends ShellPage {
  readonly parameters: Locator
  readonly inspector: Locator
  readonly layers: Locator
  readonly pictures: Locator
  readonly channels: Locator
  readonly projections: Locator
  /** Layer and channel that are shown, like `relu2 / 53`. */
  readonly unit: Locator
  readonly keepButton: Locator

  constructor(page: Page) {
    super(page)
    this.parameters = page.getByRole('complementary', { name: 'Parameters' })
    this.inspector = page.getByRole('complementary', { name: 'Inspector' })
    this.layers = page.getByRole('radiogroup', { name: 'Layers' })
    this.pictures = page.getByRole('listbox', { name: 'Pictures' })
    this.channels = page.getByRole('listbox', { name: /^Channels of/ })
    this.projections = page.getByRole('listbox', { name: 'Projections of the strongest channels' })
    this.unit = this.inspector.getByRole('heading', { level: 1 })
    this.keepButton = this.inspector.getByRole('button', { name: 'Keep' })
  }

  layer(name: string): Locator {
    return this.layers.getByRole('radio', { name: new RegExp(`^${name}\\b`) })
  }

  pane(name: Pane): Locator {
    const heading = this.page.getByRole('heading', { name, exact: true, level: 2 })
    return this.page.getByRole('figure').filter({ has: heading })
  }

  canvas(name: Pane): Locator {
    return this.pane(name).locator('canvas').first()
  }

  pixels(name: Pane): Promise<Pixels> {
    return pixelsOf(this.canvas(name))
  }

  fact(name: string): Locator {
    return factIn(this.inspector, name)
  }

  /** Waits until what the address names is shown. */
  async shown(unit?: string | RegExp): Promise<void> {
    await expect(this.unit).toHaveText(unit ?? /\S+ \/ \d+/, { timeout: engineStartMs })
    await expect(this.fact('Activation')).not.toHaveText('…')
    await expect.poll(async () => (await this.pixels('Projection')).levels, { intervals: pollMs }).toBeGreaterThan(1)
    await expect(this.page.getByRole('main').locator('[aria-busy]').first()).toHaveAttribute('aria-busy', 'false')
  }

  /** Does something and waits until another picture is in the pane. @returns the time it took, in milliseconds */
  async changes(pane: Pane, action: () => Promise<unknown>): Promise<number> {
    const { digest } = await this.pixels(pane)
    const start = performance.now()
    await action()
    await expect.poll(async () => (await this.pixels(pane)).digest, { intervals: pollMs }).not.toBe(digest)
    return performance.now() - start
  }

  /** Clicks a place of the activation map, counted from the top left. */
  async choosePlace(row: number, column: number, of: { rows: number; columns: number }): Promise<void> {
    const box = await this.canvas('Activation').boundingBox()
    if (!box) throw new Error('The activation map is not in sight')
    const position = {
      x: ((column + 0.5) * box.width) / of.columns,
      y: ((row + 0.5) * box.height) / of.rows,
    }
    await this.canvas('Activation').click({ position })
  }
}
