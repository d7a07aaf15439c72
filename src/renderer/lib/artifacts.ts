import { ConvScopeError } from '../../shared/errors.ts'
import { decodeNpy, type NumberArray } from '../../shared/npy.ts'
import { LruCache } from './lru-cache.ts'

/** Where an output can be fetched from: the same in the window and on the page, and never changing. */
export const artifactUrl = (sha256: string): string => `/artifact/${sha256}`

const cache = new LruCache<Promise<NumberArray>>(200e6)

/**
 * The array in an output of kind 'array'. Arrays used last stay in memory (200 MB).
 * @throws ConvScopeError 'not-found' or 'damaged'; the signal's reason when it is aborted
 */
export async function fetchArray(sha256: string, bytes: number, signal?: AbortSignal): Promise<NumberArray> {
  const known = cache.get(sha256)
  if (known) return known
  // Not tied to the signal: what is on its way is kept for the next look.
  const loading = load(sha256)
  cache.set(sha256, loading, bytes)
  loading.catch(() => cache.delete(sha256))
  const array = await loading
  signal?.throwIfAborted()
  return array
}

async function load(sha256: string): Promise<NumberArray> {
  const response = await fetch(artifactUrl(sha256), { credentials: 'same-origin' })
  if (!response.ok) {
    throw new ConvScopeError('not-found', `The output ${sha256.slice(0, 10)} cannot be fetched (${response.status})`, {
      remedy: 'Compute it again; Settings shows the health of the project.',
    })
  }
  return decodeNpy(new Uint8Array(await response.arrayBuffer()))
}
