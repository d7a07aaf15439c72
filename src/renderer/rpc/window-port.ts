import { PORT_REQUEST } from '../../shared/contract/hand-over.ts'
import type { PlainPort } from '../../shared/rpc/port-transport.ts'

/** Makes a pair of ports and posts one to the preload, which gives it to main. Returns the other one. */
export function handOverPort(page: Window): PlainPort {
  const { port1, port2 } = new MessageChannel()
  page.postMessage(PORT_REQUEST, page.location.origin, [port2])
  return {
    post: (message) => port1.postMessage(message),
    onMessage: (listener) => port1.addEventListener('message', (event) => listener(event.data)),
    onClose: (listener) => port1.addEventListener('close', listener),
    start: () => port1.start(),
    close: () => port1.close(),
  }
}
