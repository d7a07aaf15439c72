import { describe, expect, it, vi } from 'vitest'
import { mayUseCamera, openCamera } from './camera.ts'

const refusing = (name: string) => ({
  getUserMedia: async () => {
    throw Object.assign(new Error('no'), { name })
  },
})
const at = (devices: Pick<MediaDevices, 'getUserMedia'> | undefined, isSecureContext = true) =>
  openCamera({ isSecureContext, host: '192.168.1.5:7878', devices })

describe('openCamera', () => {
  it('asks for a picture and never for sound', async () => {
    const stream = {} as MediaStream
    const getUserMedia = vi.fn(async (_constraints?: MediaStreamConstraints) => stream)
    expect(await at({ getUserMedia })).toBe(stream)
    expect(getUserMedia.mock.calls[0]?.[0]).toMatchObject({ audio: false, video: {} })
  })

  it('says why it needs a secure address', async () => {
    await expect(at(undefined, false)).rejects.toMatchObject({
      code: 'unsupported',
      message: 'The camera needs a secure address, which http://192.168.1.5:7878 is not',
      remedy: expect.stringMatching(/127\.0\.0\.1.*HTTPS.*ssh -L/),
    })
  })

  it.each([
    ['NotAllowedError', 'conflict', /not allowed/],
    ['NotFoundError', 'not-found', /no camera/],
    ['NotReadableError', 'conflict', /does not answer/],
    ['AbortError', 'conflict', /cannot be used/],
  ])('tells %s apart', async (name, code, message) => {
    await expect(at(refusing(name))).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('needs a browser with cameras', async () => {
    await expect(at(undefined)).rejects.toMatchObject({ code: 'unsupported' })
  })
})

it('knows whether the document was loaded where a camera is allowed', () => {
  const loaded = (name: string): boolean => mayUseCamera([{ name }])
  expect(loaded('http://127.0.0.1:7878/deconvnet/live?source=camera')).toBe(true)
  expect(loaded('app://workstation/deconvnet/live')).toBe(true)
  expect(loaded('http://127.0.0.1:7878/deconvnet')).toBe(false)
  expect(mayUseCamera([])).toBe(false)
})
