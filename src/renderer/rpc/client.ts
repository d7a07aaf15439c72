/** The one client of this page. In the window it speaks over a port that the preload hands to main, else over a WebSocket. */
import './zod-without-eval.ts'
import { createContractClient } from '../../shared/rpc/client.ts'
import type { ContractClient } from '../../shared/rpc/client.ts'
import type { Transport } from '../../shared/rpc/connection.ts'
import { PortTransport } from '../../shared/rpc/port-transport.ts'
import { SocketTransport } from '../../shared/rpc/socket-transport.ts'
import { followConnection } from './connection-state.ts'
import { handOverPort } from './window-port.ts'

let client: ContractClient | undefined

/**
 * The typed client of the contract; every caller gets the same. Failed calls throw `ConvScopeError` ('disconnected' when the
 * connection was lost before the answer), aborted ones the signal's reason. Streams are opened again by themselves after a
 * lost connection, behind the last event that was received.
 */
export function createClient(): ContractClient {
  if (client) return client
  const transport = createTransport()
  followConnection(transport)
  client = createContractClient(transport)
  return client
}

function createTransport(): Transport {
  if (location.protocol === 'app:') return new PortTransport(handOverPort(window))
  const address = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/rpc`
  return new SocketTransport({ open: () => new WebSocket(address), mayReconnect: stillAdmitted })
}

/** A program that was started again has a new token and refuses this page; one that cannot be reached may come back. */
async function stillAdmitted(): Promise<boolean> {
  try {
    const response = await fetch('/admitted', { method: 'HEAD', cache: 'no-store', credentials: 'same-origin' })
    return response.status !== 401
  } catch {
    return true
  }
}
