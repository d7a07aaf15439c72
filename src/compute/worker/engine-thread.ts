/** Entry of the thread that owns the engine. The first import must stay first: it sends what libraries print to the log. */
import './direct-log.ts'
import { runEngineThread } from './engine-loop.ts'
import { productRegistry } from './registry.ts'

runEngineThread(productRegistry())
