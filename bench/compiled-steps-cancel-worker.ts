/** The worker of compiled-steps-cancel.ts. The first import must stay first: it reserves standard output for the protocol. */
import '../src/compute/worker/reserve-stdout.ts'
import { startWorkerProcess } from '../src/compute/worker/worker-process.ts'

startWorkerProcess({
  engineThread: new URL('./compiled-steps-cancel-thread.ts', import.meta.url),
  program: 'ConvScope benchmark',
})
