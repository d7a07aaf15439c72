/** Files go by HTTP (or `app://`), never through the contract. */
import * as z from 'zod'
import { ConvScopeError, ErrorReport } from '../../shared/errors.ts'
import { Sha256 } from '../../shared/values.ts'

const Stored = z.object({ sha256: Sha256, bytes: z.number() })
export type Stored = z.infer<typeof Stored>

/** Where an artifact is found; with `fileName` the browser saves it under that name. */
export function artifactAddress(sha256: string, fileName?: string): string {
  return fileName === undefined ? `/artifact/${sha256}` : `/artifact/${sha256}?name=${encodeURIComponent(fileName)}`
}

/**
 * Puts a file into the project's artifact store.
 * @param options.onProgress called with the share that has been sent, 0 to 1
 * @throws ConvScopeError with the program's reason: 'too-large', 'disk' …, or 'disconnected'
 */
export async function uploadFile(
  file: Blob,
  options: { signal?: AbortSignal; onProgress?: (fraction: number) => void } = {},
): Promise<Stored> {
  const { status, text } = await send(file, options)
  const answer = jsonOf(text)
  if (status >= 200 && status < 300) return Stored.parse(answer)
  const report = ErrorReport.safeParse(answer)
  if (report.success) throw ConvScopeError.from(report.data)
  throw new ConvScopeError('internal', `The file was refused (status ${status})`, { remedy: 'Try again.' })
}

/** By the older interface of browsers: the newer one does not tell how much has been sent. */
function send(
  file: Blob,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (fraction: number) => void },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error)
    const request = new XMLHttpRequest()
    const abort = (): void => request.abort()
    const settle = (): void => signal?.removeEventListener('abort', abort)
    request.upload.onprogress = ({ loaded, total }) => onProgress?.(total > 0 ? loaded / total : 0)
    request.onload = () => {
      settle()
      resolve({ status: request.status, text: request.responseText })
    }
    request.onabort = () => {
      settle()
      reject(signal?.reason as Error)
    }
    request.onerror = () => {
      settle()
      reject(
        new ConvScopeError('disconnected', 'The file could not be sent: ConvScope does not answer', {
          remedy: 'Try again when the connection is back.',
        }),
      )
    }
    request.open('PUT', '/upload')
    signal?.addEventListener('abort', abort, { once: true })
    request.send(file)
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
