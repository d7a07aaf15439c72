/**
 * Set-up of every test file: whoever waits for something waits as long as a busy machine may need. What comes sooner is
 * noticed at once, so that nothing gets slower by it.
 */
import { vi } from 'vitest'

const LIMIT_MS = 30_000
const waitFor = vi.waitFor
const isPatient = Symbol.for('convscope.patient')

// Files of the page's tests share a process: it is set up once.
if (!(isPatient in vi)) {
  Object.assign(vi, {
    [isPatient]: true,
    waitFor: ((callback, options = LIMIT_MS) => waitFor(callback, options)) satisfies typeof waitFor,
  })
}
