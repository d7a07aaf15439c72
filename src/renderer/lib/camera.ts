import { CAMERA_PAGE } from '../../shared/page-areas.ts'
import { ConvScopeError } from '../../shared/errors.ts'

/** What a camera needs of the page it is used in. */
export interface CameraSurroundings {
  readonly isSecureContext: boolean
  readonly host: string
  readonly devices: Pick<MediaDevices, 'getUserMedia'> | undefined
}

const REASONS: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  NotAllowedError: [
    'The camera was not allowed for this page',
    'Allow it in the settings of the browser or of the system, then start the camera again.',
  ],
  NotFoundError: ['There is no camera', 'Connect one, or look at the pictures of a folder or a data set.'],
  NotReadableError: ['The camera does not answer', 'Another program may be using it: close that, then try again.'],
}

/**
 * The picture of a camera, without sound.
 * @throws ConvScopeError 'unsupported' where the page's address is not secure or has no cameras, 'not-found' or 'conflict' for the camera
 */
export async function openCamera({ isSecureContext, host, devices }: CameraSurroundings): Promise<MediaStream> {
  if (!isSecureContext) {
    throw new ConvScopeError('unsupported', `The camera needs a secure address, which http://${host} is not`, {
      remedy:
        'Browsers give a camera only to pages of the same machine (127.0.0.1) or behind HTTPS: open ConvScope there, ' +
        'or through a tunnel, as in ssh -L 7878:127.0.0.1:7878.',
    })
  }
  if (!devices) throw new ConvScopeError('unsupported', 'This browser offers no camera')
  try {
    return await devices.getUserMedia({ audio: false, video: { width: { ideal: 640 }, height: { ideal: 480 } } })
  } catch (cause) {
    const name = cause instanceof Error ? cause.name : ''
    const [message, remedy] = REASONS[name] ?? ['The camera cannot be used', 'Try again, or look at a folder instead.']
    throw new ConvScopeError(name === 'NotFoundError' ? 'not-found' : 'conflict', message, {
      remedy,
      details: String(cause),
      cause,
    })
  }
}

/**
 * Whether this document may ask for a camera: it was loaded at the address that may. A page that came there by its own links has to be
 * loaded again, and again when it leaves.
 */
export function mayUseCamera(entries: readonly Pick<PerformanceEntry, 'name'>[]): boolean {
  const [document] = entries
  return document !== undefined && URL.canParse(document.name) && new URL(document.name).pathname === CAMERA_PAGE
}
