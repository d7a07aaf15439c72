/** The product's engine thread with a fast clock, so that a scan of a second has its checkpoints, too. The clock comes first. */
import './fast-clock.ts'
import '../../src/compute/worker/engine-thread.ts'
