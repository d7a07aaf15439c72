/** Runs being executed, and looks. */
import type { JobQueue } from '../jobs/queue.ts'
import type { JobsService } from './services.ts'

export function createJobs(queue: JobQueue): JobsService {
  return {
    start: async ({ document }) => ({ id: await queue.start(document) }),
    look: ({ document }, { signal } = {}) => queue.look(document, { signal }),
    watch: ({ id }, { afterSeq = 0, signal } = {}) => queue.watch(id, afterSeq, signal),
    overview: ({ signal } = {}) => queue.overview(signal),
    cancel: async ({ id }) => {
      queue.cancel(id)
    },
    pause: async ({ id }) => {
      queue.pause(id)
    },
    resume: async ({ id }) => {
      queue.resume(id)
    },
  }
}
