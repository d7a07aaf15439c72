/** What passes between a program that tries an engine and the process that does it. */
import * as z from 'zod'
import { EngineName } from '../../shared/engines.ts'

/** What the parent asks for, as JSON in the first argument. */
export const ProbeRequest = z.object({
  name: EngineName,
  options: z.object({
    threads: z.number().optional(),
    tensorflowFolder: z.string().optional(),
    cudaFolder: z.string().optional(),
    addonPath: z.string().optional(),
    cacheFolder: z.string().optional(),
    exact: z.boolean().optional(),
    allowSoftware: z.boolean().optional(),
  }),
  /** Whether the speed in GFLOP/s is measured too. */
  speed: z.boolean(),
})
export type ProbeRequest = z.infer<typeof ProbeRequest>

/** The answer goes to this file descriptor: libraries print to stdout and stderr. */
export const PROBE_ANSWER_FD = 3
