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
 * @throws ConvScopeError with the program's reason: 'too-large', 'disk' …, or 'disconnected'
 */
export async function uploadFile(file: Blob, options: { signal?: AbortSignal } = {}): Promise<Stored> {
  const response = await send(file, options.signal)
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return Stored.parse(answer)
  const report = ErrorReport.safeParse(answer)
  if (report.success) throw ConvScopeError.from(report.data)
  throw new ConvScopeError('internal', `The file was refused (status ${response.status})`, { remedy: 'Try again.' })
}

async function send(file: Blob, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch('/upload', { method: 'PUT', body: file, credentials: 'same-origin', signal })
  } catch (cause) {
    signal?.throwIfAborted()
    throw new ConvScopeError('disconnected', 'The file could not be sent: ConvScope does not answer', {
      remedy: 'Try again when the connection is back.',
      cause,
    })
  }
}
