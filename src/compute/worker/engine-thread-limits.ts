import type { ResourceLimits } from 'node:worker_threads'

/**
 * Memory of the engine thread's JavaScript heap. Steps make many short-lived objects, for which V8 would let its space of new objects grow
 * to 192 MB and keep much of it resident for good.
 */
export const ENGINE_THREAD_LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 48 }
