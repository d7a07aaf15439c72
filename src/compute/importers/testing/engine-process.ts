/** Imported networks on one engine: `node engine-process.ts ENGINE`; see `reportOutcome`. */
import { reportOutcome } from '../../network/conformance/report-outcome.ts'
import { importedRows } from './imported-cases.ts'

await reportOutcome(process.argv[2], ({ tf }) => importedRows(tf))
