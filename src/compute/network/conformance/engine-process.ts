/** The conformance table on one engine: `node engine-process.ts ENGINE FOLDER`; see `reportOutcome`. */
import { runNetworkConformance } from './index.ts'
import { reportOutcome } from './report-outcome.ts'

const [, , name, folder = ''] = process.argv
await reportOutcome(name, ({ tf }) => runNetworkConformance(tf, folder))
