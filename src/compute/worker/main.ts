/** Entry of the worker process. The first import must stay first: it reserves standard output for the protocol. */
import './reserve-stdout.ts'
import description from '../../../package.json' with { type: 'json' }
import { startWorkerProcess } from './worker-process.ts'

// Node runs the sources as they are; the build puts both entries beside each other under these names.
const engineThread = import.meta.url.endsWith('.ts') ? './engine-thread.ts' : './engine-thread.js'
startWorkerProcess({
  engineThread: new URL(engineThread, import.meta.url),
  program: `ConvScope ${description.version}`,
})
