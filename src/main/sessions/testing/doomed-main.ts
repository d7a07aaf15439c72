/** A small main process for the test that kills it: starts a worker, lets it compute without a break, and prints its process id. */
import { workerPid, start, testSupervisor } from './test-supervisor.ts'

const test = await testSupervisor()
const run = start(test.supervisor, 'busy', 120_000)
await run.event('step')
process.stdout.write(`${JSON.stringify({ pid: workerPid(test.log), folder: test.folder })}\n`)
await run.answer
