/** The worker process of scan-kill.test.ts. The first import must stay first: it reserves standard output for the protocol. */
import '../../src/compute/worker/reserve-stdout.ts'
import { startWorkerProcess } from '../../src/compute/worker/worker-process.ts'

startWorkerProcess({ engineThread: new URL('./engine-thread.ts', import.meta.url), program: 'ConvScope test' })
