import { reportOf } from '../lib/report.ts'
import { showError, showMessage } from './toasts.ts'

/** Puts text on the clipboard and says so. */
export async function copyText(text: string, what = 'Copied'): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    showMessage(what)
  } catch (error) {
    showError({
      ...reportOf(error),
      message: 'The browser does not allow copying here',
      remedy: 'Select the text and copy it.',
    })
  }
}
