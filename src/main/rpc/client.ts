/** A command's way to the process that has the project open. */
import { once } from 'node:events'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { WebSocket } from 'ws'
import { ConvScopeError, ErrorReport } from '../../shared/errors.ts'
import { createContractClient } from '../../shared/rpc/client.ts'
import type { ContractClient } from '../../shared/rpc/client.ts'
import { SocketTransport } from '../../shared/rpc/socket-transport.ts'
import { Sha256 } from '../../shared/values.ts'
import { MAX_FRAME_BYTES } from './transports/socket.ts'

export type { ContractClient }

/** Stands in messages only; nothing is looked up under it. */
export const LOCAL_ORIGIN = 'http://convscope'

/** Where the holder of a project listens, from its lock file. */
export interface HolderAddress {
  endpoint: string
  token: string
}

export interface HolderConnection {
  readonly client: ContractClient
  /** The bytes of an artifact as a stream. @throws ConvScopeError 'not-found', 'disconnected' … */
  artifact(sha256: string): Promise<Readable>
  close(): void
}

/**
 * Connects to the process that has the project open.
 * @throws ConvScopeError 'disconnected' when nobody answers there
 */
export async function connectToHolder(address: HolderAddress): Promise<HolderConnection> {
  const headers = { authorization: `Bearer ${address.token}` }
  const transport = new SocketTransport({
    open: () =>
      new WebSocket('ws://convscope/rpc', {
        createConnection: () => connect(address.endpoint),
        headers,
        maxPayload: MAX_FRAME_BYTES,
        perMessageDeflate: false,
      }),
  })
  try {
    await transport.connection()
  } catch (cause) {
    throw unreachable(cause)
  }

  return {
    client: createContractClient(transport),
    artifact: (sha256) => get({ socketPath: address.endpoint, path: `/artifact/${Sha256.parse(sha256)}`, headers }),
    close: () => transport.close(),
  }
}

async function get(options: {
  socketPath: string
  path: string
  headers: Record<string, string>
}): Promise<IncomingMessage> {
  try {
    const asked = request(options).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    if (response.statusCode === 200) return response
    const report = ErrorReport.safeParse(JSON.parse(await text(response)))
    if (report.success) throw ConvScopeError.from(report.data)
    throw new ConvScopeError('internal', `The running ConvScope answered with status ${response.statusCode}`)
  } catch (thrown) {
    throw thrown instanceof ConvScopeError ? thrown : unreachable(thrown)
  }
}

function unreachable(cause: unknown): ConvScopeError {
  return new ConvScopeError('disconnected', 'The ConvScope that has the project open does not answer', {
    remedy: 'Close it, or end its process, and try again.',
    cause,
  })
}
