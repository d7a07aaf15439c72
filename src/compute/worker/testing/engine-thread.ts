import '../direct-log.ts'
import { runEngineThread } from '../engine-loop.ts'
import { testRegistry } from './test-registry.ts'

runEngineThread(testRegistry)
