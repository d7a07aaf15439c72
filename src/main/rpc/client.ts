/** A command's way to the process that has the project open. */
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { WebSocket } from 'ws'
import * as z from 'zod'
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
  /** Puts bytes into the artifact store. @throws ConvScopeError 'too-large', 'disk', 'disconnected' … */
  upload(bytes: AsyncIterable<Uint8Array>): Promise<{ sha256: string; bytes: number }>
  /** Calls back when the holder is gone; nothing is connected again. */
  onLost(listener: () => void): void
  close(): void
}

const Stored = z.object({ sha256: Sha256, bytes: z.number() })

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
  const ask = (method: string, path: string, body?: AsyncIterable<Uint8Array>): Promise<IncomingMessage> =>
    send({ socketPath: address.endpoint, method, path, headers }, body)

  return {
    client: createContractClient(transport),
    artifact: (sha256) => ask('GET', `/artifact/${Sha256.parse(sha256)}`),
    upload: async (bytes) => Stored.parse(JSON.parse(await text(await ask('PUT', '/upload', bytes)))),
    onLost: (listener) => {
      transport.onState((state) => {
        if (state === 'closed') listener()
      })
    },
    close: () => transport.close(),
  }
}

async function send(
  options: { socketPath: string; method: string; path: string; headers: Record<string, string> },
  body: AsyncIterable<Uint8Array> | undefined,
): Promise<IncomingMessage> {
  const asked = request(options)
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve)
    asked.on('error', reject)
  })
  try {
    // A refusal may come while the body is still being sent: what counts is the answer.
    if (body) void pipeline(body, asked).catch(() => undefined)
    else asked.end()
    const response = await answered
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
