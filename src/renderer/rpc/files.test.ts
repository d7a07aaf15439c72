import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { artifactAddress, uploadFile } from './files.ts'
import { fakeRequest, type FakeAnswer } from './testing/fake-upload.ts'

const sha256 = 'a1'.repeat(32)
const answer = vi.fn<(method: string, address: string, body: unknown) => FakeAnswer>()
const answering = (status: number, body: unknown) => answer.mockReturnValue({ status, body })

beforeEach(() => vi.stubGlobal('XMLHttpRequest', fakeRequest(answer)))

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetAllMocks()
})

describe('files', () => {
  it('have an address by hash, and a name to be saved under', () => {
    expect(artifactAddress(sha256)).toBe(`/artifact/${sha256}`)
    expect(artifactAddress(sha256, 'run 1 & 2.zip')).toBe(`/artifact/${sha256}?name=run%201%20%26%202.zip`)
  })

  it('go up by one route', async () => {
    answering(200, { sha256, bytes: 3 })
    const file = new Blob(['abc'])
    const fractions: number[] = []
    expect(await uploadFile(file, { onProgress: (fraction) => fractions.push(fraction) })).toEqual({ sha256, bytes: 3 })
    expect(answer.mock.calls).toEqual([['PUT', '/upload', file]])
    expect(fractions).toEqual([1])
  })

  it('fail with the reason of the program', async () => {
    answering(413, { code: 'too-large', message: 'The file is larger than 16 MiB', remedy: 'Refer to it in place.' })
    await expect(uploadFile(new Blob(['abc']))).rejects.toMatchObject({
      code: 'too-large',
      remedy: 'Refer to it in place.',
    })
    answering(500, 'something else')
    await expect(uploadFile(new Blob(['abc']))).rejects.toMatchObject({ code: 'internal' })
    answering(200, { sha256: 'no hash', bytes: 3 })
    await expect(uploadFile(new Blob(['abc']))).rejects.toThrow('SHA-256')
  })

  it('fail when nobody answers, and with the reason of an abort', async () => {
    answer.mockImplementation(() => {
      throw new TypeError('failed')
    })
    await expect(uploadFile(new Blob(['abc']))).rejects.toMatchObject({ code: 'disconnected' })
    const reason = new Error('enough')
    await expect(uploadFile(new Blob(['abc']), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const abort = new AbortController()
    answering(200, { sha256, bytes: 3 })
    const sending = uploadFile(new Blob(['abc']), { signal: abort.signal })
    abort.abort(reason)
    await expect(sending).rejects.toBe(reason)
  })
})
