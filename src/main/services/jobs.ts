/** Runs being executed, and looks. */
import { ConvScopeError } from '../../shared/errors.ts'
import { parseDocument, type ExperimentDocument } from '../../shared/experiments/index.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { isBuiltInNetwork } from './built-in.ts'
import type { Project } from '../project/project.ts'
import { checkDocument, type CheckingHelp } from './check-document.ts'
import { completeDocument } from './complete-document.ts'
import type { JobsService } from './services.ts'

export function createJobs(
  queue: JobQueue,
  project: Pick<Project, 'runs' | 'artifacts'>,
  help: CheckingHelp,
): JobsService {
  return {
    start: async ({ document: value, reuse }) => {
      const document = await completeDocument(parseDocument(value), project)
      refuseBuiltInName(document)
      await checkDocument(document, help)
      return { id: await queue.start(document, { reuse }) }
    },
    look: async ({ document }, { signal } = {}) =>
      queue.look(await completeDocument(parseDocument(document), project), { signal }),
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
    adjust: async ({ id, path, value }) => {
      queue.adjust(id, path, value)
    },
  }
}

/** Before the computing, and not after it. */
function refuseBuiltInName({ kind, params }: ExperimentDocument): void {
  if (kind !== 'train-classifier' || params.name === undefined || !isBuiltInNetwork(params.name)) return
  throw new ConvScopeError('conflict', `The network "${params.name}" comes with the program`, {
    remedy: 'Choose another name for the trained one, or none.',
  })
}
