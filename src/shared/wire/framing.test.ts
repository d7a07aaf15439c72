import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConvScopeError } from '../errors.ts'
import { FRAME_HEADER_BYTES, FRAME_MAGIC, frameHeader, FrameReader } from './framing.ts'

const join = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
const frame = (body: Uint8Array): Uint8Array => join([frameHeader(body.length), body])

/** The bytes in pieces of the given lengths, the rest in one. */
function pieces(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const cut: Uint8Array[] = []
  let start = 0
  for (const length of lengths) {
    cut.push(bytes.subarray(start, start + length))
    start = Math.min(bytes.length, start + length)
  }
  return [...cut, bytes.subarray(start)]
}

function readAll(chunks: readonly Uint8Array[], options?: ConstructorParameters<typeof FrameReader>[0]) {
  const reader = new FrameReader(options)
  const bodies: Uint8Array[] = []
  let error: unknown
  try {
    for (const chunk of chunks) for (const body of reader.push(chunk)) bodies.push(body.slice())
    reader.end()
  } catch (thrown) {
    error = thrown
  }
  return { bodies, error, reader }
}

const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 })
const cuts = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 60 })

describe('FrameReader', () => {
  it('gives every body back, however the stream is cut', () => {
    fc.assert(
      fc.property(bodies, cuts, (sent, lengths) => {
        const { bodies: received, error } = readAll(pieces(join(sent.map(frame)), lengths))
        expect(error).toBeUndefined()
        expect(received.map((body) => [...body])).toEqual(sent.map((body) => [...body]))
      }),
    )
  })

  it('hands what stands before the first frame to the log, and nothing of a frame', () => {
    const text = fc.string({ maxLength: 100 }).map((banner) => new TextEncoder().encode(banner))
    fc.assert(
      fc.property(text, bodies, cuts, (banner, sent, lengths) => {
        const noise: Uint8Array[] = []
        const chunks = pieces(join([banner, ...sent.map(frame)]), lengths)
        const { bodies: received, error } = readAll(chunks, { onNoise: (bytes) => noise.push(bytes.slice()) })
        expect(error).toBeUndefined()
        expect(received).toHaveLength(sent.length)
        expect([...join(noise)]).toEqual([...banner])
      }),
    )
  })

  it('delivers what came before a wrong beginning, then refuses for good', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 20 }), cuts, (wrong, lengths) => {
        fc.pre(wrong.some((byte, index) => index < FRAME_MAGIC.length && byte !== FRAME_MAGIC[index]))
        const { bodies: received, error, reader } = readAll(pieces(join([frame(new Uint8Array([7])), wrong]), lengths))
        expect(received).toEqual([new Uint8Array([7])])
        expect(error).toMatchObject({ code: 'damaged' })
        expect(() => [...reader.push(frame(new Uint8Array(1)))]).toThrow(ConvScopeError)
      }),
    )
  })

  it('refuses every stream that ends inside a frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.nat(), (body, at) => {
        const whole = join([frame(new Uint8Array(0)), frame(body)])
        const end = FRAME_HEADER_BYTES + 1 + (at % (whole.length - FRAME_HEADER_BYTES - 1))
        expect(readAll([whole.subarray(0, end)]).error).toMatchObject({ code: 'damaged' })
      }),
    )
  })

  it('never does anything but yield or refuse, whatever the bytes', () => {
    const hostile = fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(FRAME_MAGIC)), { maxLength: 20 })
    fc.assert(
      fc.property(hostile, (chunks) => {
        const { error } = readAll(chunks, { limitBytes: 1000 })
        expect(error === undefined || error instanceof ConvScopeError).toBe(true)
      }),
    )
  })

  it('refuses a length above the limit before its body is there', () => {
    const header = frameHeader(2 ** 32 - 1, Infinity)
    expect(readAll([header]).error).toMatchObject({ code: 'too-large' })
    expect(readAll([frameHeader(101, Infinity)], { limitBytes: 100 }).error).toMatchObject({ code: 'too-large' })
    expect(readAll([frame(new Uint8Array(100))], { limitBytes: 100 }).error).toBeUndefined()
    expect(() => frameHeader(101, 100)).toThrow(expect.objectContaining({ code: 'too-large' }))
  })

  it('gives up on a stream of nothing but noise', () => {
    const chunks = Array.from({ length: 5 }, () => new Uint8Array(300).fill(65))
    expect(readAll(chunks, { noiseLimitBytes: 1000 }).error).toMatchObject({ code: 'damaged' })
    expect(readAll(chunks, { noiseLimitBytes: 1500 }).error).toBeUndefined()
  })
})
