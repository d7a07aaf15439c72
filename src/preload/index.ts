/** Hands the page's port over to main, and does nothing else: the page gets no function of Electron. */
import { ipcRenderer } from 'electron'
import { APP_ORIGIN, PORT_CHANNEL, PORT_REQUEST } from '../shared/contract/hand-over.ts'

type Ports = NonNullable<Parameters<typeof ipcRenderer.postMessage>[2]>

/** The part of the page's window that is used here. */
interface Page {
  addEventListener(
    type: 'message',
    listener: (event: { source: unknown; origin: string; data: unknown; ports: Readonly<Ports> }) => void,
  ): void
}

const page = globalThis as unknown as Page
page.addEventListener('message', (event) => {
  const ours = event.source === page && event.origin === APP_ORIGIN && event.data === PORT_REQUEST
  if (!ours || event.ports.length !== 1) return
  ipcRenderer.postMessage(PORT_CHANNEL, null, [...event.ports])
})
