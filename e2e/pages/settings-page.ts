import type { Locator, Page } from '@playwright/test'
import { factIn, ShellPage } from './shell-page.ts'

/** The Settings tab: engines, appearance, project, keys. */
export class SettingsPage extends ShellPage {
  readonly engines: Locator
  readonly project: Locator
  readonly threads: Locator
  readonly restart: Locator

  constructor(page: Page) {
    super(page)
    this.engines = page.getByRole('region', { name: 'Engines' })
    this.project = page.getByRole('region', { name: 'Project' })
    this.threads = this.engines.getByRole('spinbutton', { name: 'Threads of the engine' })
    this.restart = this.engines.getByRole('button', { name: 'Restart the engine' })
  }

  engineRow(title: string): Locator {
    return this.engines.getByRole('row').filter({ hasText: title })
  }

  fact(name: string): Locator {
    return factIn(this.project, name)
  }

  theme(): Promise<string | null> {
    return this.page.locator('html').getAttribute('data-theme')
  }

  /** Chooses an appearance; waits until the program has stored it. */
  async chooseTheme(name: 'System' | 'Light' | 'Dark'): Promise<void> {
    await this.pick('Theme', name)
  }
}
