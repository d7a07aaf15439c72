import { shallowRef } from 'vue'

export type Theme = 'system' | 'light' | 'dark'

const KEY = 'convscope.theme'
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)')
const stored = localStorage.getItem(KEY)

export const theme = shallowRef<Theme>(stored === 'light' || stored === 'dark' ? stored : 'system')
/** What is shown now. */
export const shownTheme = shallowRef<'light' | 'dark'>('light')

/** Follows the system until the user chooses. Remembered here too, so that a page that opens does not flash. */
export function setTheme(next: Theme): void {
  theme.value = next
  localStorage.setItem(KEY, next)
  show()
}

export function followSystemTheme(): void {
  prefersDark.addEventListener('change', show)
  show()
}

function show(): void {
  shownTheme.value = theme.value === 'system' ? (prefersDark.matches ? 'dark' : 'light') : theme.value
  document.documentElement.dataset.theme = shownTheme.value
}
