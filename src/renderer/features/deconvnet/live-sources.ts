import { ConvScopeError } from '../../../shared/errors.ts'
import { LARGEST_FRAME_FILE_BYTES, type LiveFrameRequest } from '../../../shared/live.ts'
import type { FrameSize } from '../../../shared/network/frame-size.ts'
import { FramePainter } from '../../lib/frame-pixels.ts'

/** One frame on its way to the network. */
export interface LivePicture {
  readonly frame: LiveFrameRequest['frame']
  /** What it is: a file's name, a picture's number, the camera's size. */
  readonly name: string
  /** Called where the frame is no picture that can be read: the next one is taken. Without it, that is the end of the source. */
  readonly leaveOut?: () => void
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

/**
 * The picture files of a folder one after another, again and again, as they are: the worker decodes them. A file that it cannot read is left
 * out from then on.
 * @throws ConvScopeError 'not-found' for a folder without pictures
 */
export function folderSource(folder: readonly File[], wish: () => Pick<FrameWish, 'invert'>): LiveSource {
  const files = folder
    .filter(({ type, size }) => type.startsWith('image/') && size <= LARGEST_FRAME_FILE_BYTES)
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
  const found = files.length
  if (found === 0) {
    throw new ConvScopeError('not-found', `None of the ${folder.length} files of the folder is a picture`, {
      remedy: 'Choose a folder with PNG, JPEG, WebP, TIFF or GIF files of 32 MB at most.',
    })
  }
  let index = 0
  const leaveOut = (file: File): void => {
    const place = files.indexOf(file)
    if (place < 0) return
    files.splice(place, 1)
    if (place < index) index--
  }
  return {
    next: async () => {
      index %= Math.max(1, files.length)
      const file = files[index++]
      if (!file) throw new ConvScopeError('damaged', `None of the ${found} pictures of the folder can be read`)
      const frame = { file: await bytesOf(file), invert: wish().invert }
      return { frame, name: file.name, leaveOut: () => leaveOut(file) }
    },
    close: () => undefined,
  }
}

/** @throws ConvScopeError 'not-found' for a file that is gone */
async function bytesOf(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer())
  } catch (cause) {
    throw new ConvScopeError('not-found', `${file.name} cannot be read any more`, {
      remedy: 'Choose the folder again.',
      cause,
    })
  }
}
