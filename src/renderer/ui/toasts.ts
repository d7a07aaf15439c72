import { shallowRef } from 'vue'
import type { ErrorReport } from '../../shared/errors.ts'

export interface Toast {
  readonly id: number
  readonly kind: 'message' | 'error'
  readonly text: string
  readonly report?: ErrorReport
  readonly action?: { readonly label: string; readonly run: () => void }
}

/** Shown at the lower edge, newest last. */
export const toasts = shallowRef<readonly Toast[]>([])

const SECONDS = { message: 6, error: 20 }
let lastId = 0

/** A sentence that goes away by itself, with something to do about it where there is (undo). */
export function showMessage(text: string, action?: Toast['action']): void {
  add({ id: ++lastId, kind: 'message', text, action }, action ? 10 : SECONDS.message)
}

/** Thing and reason, what to do, and the details to copy. */
export function showError(report: ErrorReport): void {
  if (report.code === 'cancelled') return
  dismissToast((toast) => toast.text === report.message)
  add({ id: ++lastId, kind: 'error', text: report.message, report }, SECONDS.error)
}

export function dismissToast(which: (toast: Toast) => boolean): void {
  toasts.value = toasts.value.filter((toast) => !which(toast))
}

function add(toast: Toast, seconds: number): void {
  toasts.value = [...toasts.value.slice(-3), toast]
  setTimeout(() => dismissToast(({ id }) => id === toast.id), seconds * 1000)
}
