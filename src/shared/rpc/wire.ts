/**
 * Everything that depends on how oRPC speaks: the peers (whose names say "experimental") and the preparation of their
 * messages, so that a message survives both structured clone and MessagePack.
 */
import {
  MessageType,
  deserializeRequestMessage,
  deserializeResponseMessage,
  experimental_ClientPeerWithoutCodec as ClientPeer,
  experimental_ServerPeerWithoutCodec as ServerPeer,
  serializeRequestMessage,
  serializeResponseMessage,
} from '@orpc/standard-server-peer'
import type {
  BaseMessageFormat,
  DecodedRequestMessage,
  DecodedResponseMessage,
  EventIteratorPayload,
} from '@orpc/standard-server-peer'
import * as z from 'zod'
import { ConvScopeError } from '../errors.ts'

export { ClientPeer, ServerPeer }

/** Envelope of every message: id, kind and payload. Single letters, because it is repeated with every event. */
const Envelope = z.object({ i: z.string().max(64), t: z.number().int().min(1).max(4).optional(), p: z.unknown() })
const Headers = z.record(z.string(), z.union([z.string(), z.array(z.string())]).optional()).optional()
const EventPayload = z.object({
  e: z.enum(['message', 'error', 'done']),
  d: z.unknown(),
  m: z
    .object({ id: z.string().optional(), retry: z.number().optional(), comments: z.array(z.string()).optional() })
    .optional(),
})
const RequestPayload = z.object({
  u: z.string().startsWith('/').max(2000),
  b: z.unknown(),
  h: Headers,
  m: z.string().optional(),
})
const ResponsePayload = z.object({ s: z.number().int().optional(), h: Headers, b: z.unknown() })

export function packRequest(message: DecodedRequestMessage): BaseMessageFormat {
  const [id, type, payload] = message
  if (type === MessageType.EVENT_ITERATOR) return serializeRequestMessage(id, type, plainEvent(payload))
  if (type === MessageType.REQUEST) return serializeRequestMessage(id, type, withoutIterator(payload))
  return serializeRequestMessage(id, type, payload)
}

export function packResponse(message: DecodedResponseMessage): BaseMessageFormat {
  const [id, type, payload] = message
  if (type === MessageType.EVENT_ITERATOR) return serializeResponseMessage(id, type, plainEvent(payload))
  if (type === MessageType.RESPONSE) return serializeResponseMessage(id, type, withoutIterator(payload))
  return serializeResponseMessage(id, type, payload)
}

/** @throws ConvScopeError 'damaged' for anything that is not a message of a client */
export function unpackRequest(value: unknown): DecodedRequestMessage {
  return deserializeRequestMessage(parseEnvelope(value, RequestPayload))
}

/** @throws ConvScopeError 'damaged' for anything that is not a message of a server */
export function unpackResponse(value: unknown): DecodedResponseMessage {
  return deserializeResponseMessage(parseEnvelope(value, ResponsePayload))
}

function parseEnvelope(value: unknown, body: typeof RequestPayload | typeof ResponsePayload): BaseMessageFormat {
  const envelope = Envelope.safeParse(value)
  if (!envelope.success) throw damaged(envelope.error)
  const { i, t, p } = envelope.data
  if (t === MessageType.ABORT_SIGNAL) return { i, t, p: undefined }
  const payload = (t === MessageType.EVENT_ITERATOR ? EventPayload : body).safeParse(p)
  if (!payload.success) throw damaged(payload.error)
  return { i, t, p: payload.data }
}

function damaged(error: z.ZodError): ConvScopeError {
  return new ConvScopeError('damaged', 'A message between window and program is malformed', {
    remedy: 'Reload the page; both sides must be of one version.',
    details: z.prettifyError(error),
  })
}

/** oRPC hangs the event's id onto the data by a Proxy, which structured clone refuses: copy the outermost level. */
function plainEvent(payload: EventIteratorPayload): EventIteratorPayload {
  const { data } = payload
  return typeof data === 'object' && data !== null ? { ...payload, data: { ...data } } : payload
}

/** A body that is a stream travels as a header; its events follow one by one. */
function withoutIterator<T extends { body: unknown; headers: object }>(payload: T): T {
  const { body } = payload
  const streams = typeof body === 'object' && body !== null && Symbol.asyncIterator in body
  if (!streams) return payload
  return { ...payload, headers: { ...payload.headers, 'content-type': 'text/event-stream' }, body: undefined }
}
