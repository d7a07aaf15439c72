/** Engines: the numerical back ends a session can run on, and what is reported about them. */
import * as z from 'zod'

/** In the order in which ties of the calibration are decided. `cpu` (plain JavaScript) serves tests only. */
export const ENGINE_NAMES = ['tensorflow-cuda', 'webgpu', 'tensorflow', 'wasm', 'cpu'] as const
export const EngineName = z.enum(ENGINE_NAMES)
export type EngineName = z.infer<typeof EngineName>

export const EngineWish = z.union([z.literal('auto'), EngineName])
export type EngineWish = z.infer<typeof EngineWish>

/** The engine a session runs on; part of every run's provenance. */
export const EngineIdentity = z.object({
  name: EngineName,
  /** Version of the numerical library, e.g. "TensorFlow 2.21.0". */
  version: z.string(),
  /** What computes: CPU model or GPU name. */
  device: z.string(),
  threads: z.number().int().positive(),
  /** Which kernels replace the library's own, e.g. "stock+guard-1x1". */
  kernels: z.string(),
  /** Whether two runs of one document are promised to be bit-identical here. */
  deterministic: z.boolean(),
})
export type EngineIdentity = z.infer<typeof EngineIdentity>

/** One row of the table that `doctor` and the settings show. */
export const EngineReport = z.object({
  name: EngineName,
  state: z.enum(['taken', 'available', 'unavailable', 'failed']),
  /** Why it was or was not taken, for people. */
  reason: z.string(),
  identity: EngineIdentity.optional(),
  /** Calibration: milliseconds of one pass of the small training step and CaffeNet-size convolution. Smaller is faster. */
  calibrationMs: z.number().positive().optional(),
  /** Measured speed, GFLOP/s (2 operations for a multiply-add). */
  matmulGflops: z.number().positive().optional(),
  convolutionGflops: z.number().positive().optional(),
  /** One training step of a small classifier, operation by operation, and captured as a graph where the engine does that. */
  stepMs: z.number().positive().optional(),
  compiledStepMs: z.number().positive().optional(),
})
export type EngineReport = z.infer<typeof EngineReport>
