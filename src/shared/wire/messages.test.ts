import { Packr } from 'msgpackr'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type { JobEvent } from '../jobs.ts'
import { frameHeader } from './framing.ts'
import { encodeMessage, MessageReader, PACKER_OPTIONS, plainJson } from './messages.ts'
import { FromWorker, ToWorker, WorkerEvent, type RunEvent } from './protocol.ts'

const packer = new Packr(PACKER_OPTIONS)
const read = (frame: Uint8Array) => [...new MessageReader(packer, FromWorker).push(frame)]

describe('messages', () => {
  it('carry bytes and typed values unchanged', () => {
    const pixels = new Uint8Array([0, 128, 255, 7, 8, 9])
    const event = { type: 'preview', name: 'p', width: 2, height: 1, channels: 3, pixels } as const
    expect(read(encodeMessage(packer, { type: 'event', id: 'a', event }))).toEqual([{ type: 'event', id: 'a', event }])
  })

  it.each([
    ['bad MessagePack', new Uint8Array([0x92, 0x01])],
    ['rest after the value', new Uint8Array([0x01, 0x01])],
    ['a declared length beyond the frame', new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff])],
    ['nothing', new Uint8Array(0)],
    ['another type', packer.pack({ type: 'delete-everything' })],
    ['a missing field', packer.pack({ type: 'heartbeat', tensors: 0 })],
  ])('are refused as damaged: %s', (_, body) => {
    const frame = new Uint8Array([...frameHeader(body.length), ...body])
    expect(() => read(frame)).toThrow(expect.objectContaining({ code: 'damaged' }))
  })

  it('name the type of a message that does not fit', () => {
    expect(() => read(encodeMessage(packer, { type: 'heartbeat' }))).toThrow(
      'A message "heartbeat" does not fit the protocol',
    )
  })

  it('refuse a picture whose pixels are not its size', () => {
    const preview = { type: 'preview', name: 'p', width: 100, height: 100, channels: 4, pixels: new Uint8Array(3) }
    expect(WorkerEvent.safeParse(preview).success).toBe(false)
  })

  it('fill in the heartbeat of a start message', () => {
    const start = {
      type: 'start',
      protocol: 1,
      engine: 'auto',
      cacheFolder: '',
      artifactFolders: [],
      artifactFiles: {},
      scratchFolder: '',
    }
    expect(ToWorker.parse(start)).toMatchObject({ heartbeatMs: 1000 })
  })

  it('have steps, logs and previews in the form of job events', () => {
    type Shown = Extract<RunEvent, { type: 'step' | 'log' | 'preview' }>
    expectTypeOf<Extract<JobEvent, { type: 'preview' }>>().toEqualTypeOf<Extract<Shown, { type: 'preview' }>>()
    expectTypeOf<Omit<Extract<JobEvent, { type: 'step' }>, 'seq' | 'at'>>().toEqualTypeOf<
      Extract<Shown, { type: 'step' }>
    >()
  })
})

describe('plainJson', () => {
  it('leaves undefined members out and refuses what JSON cannot hold', () => {
    expect(plainJson({ a: undefined, b: [1, { c: undefined }] })).toEqual({ b: [1, {}] })
    expect(() => plainJson({ loss: NaN })).toThrow(TypeError)
  })
})
