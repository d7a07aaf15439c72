/** The contract as one function from request to response, for any transport. */
import { onError, ORPCError } from '@orpc/server'
import { StandardRPCHandler } from '@orpc/server/standard'
import { createServerPeerHandleRequestFn } from '@orpc/server/standard-peer'
import type { ServerPeer } from '../../shared/rpc/wire.ts'
import type { Services } from '../services/services.ts'
import { createRouter } from './router.ts'

export interface RpcLog {
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

export type RequestHandler = NonNullable<Parameters<ServerPeer['message']>[1]>

/** Answers requests of the contract by the services. Serves any number of connections. */
export function createRequestHandler(services: Services, log: RpcLog): RequestHandler {
  const handler = new StandardRPCHandler(createRouter(services, log), {
    clientInterceptors: [
      onError((error, { path }) => {
        // What is refused or declared is an answer; what is left is an output that does not fit the contract.
        const expected = error instanceof ORPCError && (error.code === 'FAILED' || error.status < 500)
        if (!expected) log.error(`${path.join('.')} gave an answer outside the contract`, { error })
      }),
    ],
  })
  return createServerPeerHandleRequestFn(handler, {})
}
