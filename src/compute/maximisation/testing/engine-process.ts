/** The stored trajectories on one engine: `node engine-process.ts ENGINE FOLDER LAST_STEP`; see `reportOutcome`. */
import { reportOutcome } from '../../network/conformance/report-outcome.ts'
import { TRAJECTORY_CASES, trajectoryRows } from './trajectory-rows.ts'

const [, , name, folder = '', lastStep] = process.argv
await reportOutcome(name, async (engine) => {
  const rows = []
  for (const stored of TRAJECTORY_CASES) rows.push(...(await trajectoryRows(engine, folder, stored, Number(lastStep))))
  return rows
})
