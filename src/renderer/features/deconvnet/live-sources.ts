import { ConvScopeError } from '../../../shared/errors.ts'
import type { LiveFrameRequest } from '../../../shared/live.ts'
import { FramePainter, type FrameSize } from '../../lib/frame-pixels.ts'

/** One frame on its way to the network. */
export interface LivePicture {
  readonly frame: LiveFrameRequest['frame']
  /** What it is: a file's name, a picture's number, the camera's size. */
  readonly name: string
}

export interface LiveSource {
  /** Waits for the next frame. @throws ConvScopeError where the source has come to its end */
  next(): Promise<LivePicture>
  close(): void
}

/** What may change while a source is open. */
export interface FrameWish {
  readonly size: FrameSize
  readonly invert: boolean
}

/** The pictures of a split one after another, from `first` on and again from the start. */
export function datasetSource(dataset: string, split: { name: string; count: number }, first: number): LiveSource {
  let index = first
  return {
    next: async () => {
      if (split.count === 0) throw new ConvScopeError('not-found', `${dataset} has no pictures in ${split.name}`)
      const at = index % split.count
      index = at + 1
      return { frame: { dataset, split: split.name, index: at }, name: `picture ${at}` }
    },
    close: () => undefined,
  }
}

/** The present frame of a camera, whenever there is a new one. */
export async function cameraSource(stream: MediaStream, wish: () => FrameWish): Promise<LiveSource> {
  const painter = new FramePainter()
  const video = document.createElement('video')
  video.muted = true
  video.playsInline = true
  video.srcObject = stream
  const stop = (): void => {
    for (const track of stream.getTracks()) track.stop()
    video.srcObject = null
  }
  try {
    await video.play()
  } catch (error) {
    stop()
    throw error
  }
  let ended = false
  const end = new Promise<void>((resolve) => {
    for (const track of stream.getVideoTracks())
      track.addEventListener('ended', () => {
        ended = true
        resolve()
      })
  })
  return {
    next: async () => {
      await Promise.race([new Promise((resolve) => video.requestVideoFrameCallback(resolve)), end])
      if (ended) {
        throw new ConvScopeError('disconnected', 'The camera was taken away', {
          remedy: 'Connect it and start it again.',
        })
      }
      const from = { width: video.videoWidth, height: video.videoHeight }
      const { size, invert } = wish()
      return { frame: painter.paint(video, from, size, invert), name: `${from.width} × ${from.height}` }
    },
    close: stop,
  }
}

export interface DecodedPicture extends FrameSize {
  readonly picture: CanvasImageSource
  close(): void
}

export type DecodePicture = (file: File) => Promise<DecodedPicture>
export type PaintPicture = FramePainter['paint']

const LARGEST_FILE_BYTES = 64 * 1024 * 1024

/**
 * The picture files of a folder one after another, again and again. They are decoded in the sandbox of the page and reach the program as
 * pixels; a file that is none is left out from then on.
 * @throws ConvScopeError 'not-found' for a folder without pictures
 */
export function folderSource(
  folder: readonly File[],
  wish: () => FrameWish,
  decode: DecodePicture = decodeInPage,
  paint: PaintPicture = pageCanvas(),
): LiveSource {
  const files = folder
    .filter(({ type, size }) => type.startsWith('image/') && size <= LARGEST_FILE_BYTES)
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  const found = files.length
  if (found === 0) {
    throw new ConvScopeError('not-found', `None of the ${folder.length} files of the folder is a picture`, {
      remedy: 'Choose a folder with PNG, JPEG, WebP or GIF files of 64 MB at most.',
    })
  }
  let index = 0
  return {
    next: async () => {
      for (;;) {
        const file = files[index % files.length]
        if (!file) throw new ConvScopeError('damaged', `None of the ${found} pictures of the folder can be read`)
        try {
          const decoded = await decode(file)
          const { size, invert } = wish()
          const frame = paint(decoded.picture, decoded, size, invert)
          decoded.close()
          index = (index % files.length) + 1
          return { frame, name: file.name }
        } catch {
          files.splice(index % files.length, 1)
        }
      }
    },
    close: () => undefined,
  }
}

const decodeInPage: DecodePicture = async (file) => {
  const picture = await createImageBitmap(file)
  return { picture, width: picture.width, height: picture.height, close: () => picture.close() }
}

function pageCanvas(): PaintPicture {
  const painter = new FramePainter()
  return (...picture) => painter.paint(...picture)
}
