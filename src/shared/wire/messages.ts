/** Messages in frames: MessagePack bodies, parsed by the schema of the direction they come from. */
import * as z from 'zod'
import { ConvScopeError } from '../errors.ts'
import { canonicalJson } from '../canonical-json.ts'
import type { Json } from '../values.ts'
import { frameHeader, FrameReader, type FrameReaderOptions } from './framing.ts'

/**
 * What each side hands in: msgpackr's `Packr` with `PACKER_OPTIONS`. It is not imported here because `shared` also runs where it is not installed.
 * `useRecords` differing between the sides fails at decoding; `moreTypes` carries typed arrays.
 */
export interface MessagePacker {
  pack(value: unknown): Uint8Array
  unpack(bytes: Uint8Array): unknown
}
export const PACKER_OPTIONS = { useRecords: false, moreTypes: true } as const

/**
 * A message as the bytes of one frame.
 * @throws ConvScopeError 'too-large' above the frame limit
 */
export function encodeMessage(packer: MessagePacker, message: unknown, limitBytes?: number): Uint8Array {
  const body = packer.pack(message)
  const header = frameHeader(body.length, limitBytes)
  const frame = new Uint8Array(header.length + body.length)
  frame.set(header)
  frame.set(body, header.length)
  return frame
}

/** Cuts a byte stream into messages. */
export class MessageReader<Schema extends z.ZodType> {
  readonly #frames: FrameReader
  readonly #packer: MessagePacker
  readonly #schema: Schema

  constructor(packer: MessagePacker, schema: Schema, options?: FrameReaderOptions) {
    this.#packer = packer
    this.#schema = schema
    this.#frames = new FrameReader(options)
  }

  /**
   * Yields the messages that the chunk completes.
   * @throws ConvScopeError 'damaged' for a wrong frame, bad MessagePack or a message that does not fit the schema; 'too-large'
   */
  *push(chunk: Uint8Array): Generator<z.infer<Schema>, void, void> {
    for (const body of this.#frames.push(chunk)) yield this.#decode(body)
  }

  /** @throws ConvScopeError 'damaged' where the stream ends inside a frame */
  end(): void {
    this.#frames.end()
  }

  #decode(body: Uint8Array): z.infer<Schema> {
    let value: unknown
    try {
      value = this.#packer.unpack(body)
    } catch (cause) {
      throw new ConvScopeError('damaged', 'A message is not MessagePack', { details: String(cause), cause })
    }
    const parsed = this.#schema.safeParse(value)
    if (!parsed.success) {
      const type = z.object({ type: z.string().max(100) }).safeParse(value)
      throw new ConvScopeError(
        'damaged',
        `A message${type.success ? ` "${type.data.type}"` : ''} does not fit the protocol`,
        {
          details: z.prettifyError(parsed.error),
        },
      )
    }
    return parsed.data
  }
}

/**
 * A value as JSON carries it: `undefined` members left out.
 * @throws TypeError for what JSON cannot hold (NaN, infinity, functions)
 */
export function plainJson(value: unknown): Json {
  return JSON.parse(canonicalJson(value)) as Json
}
