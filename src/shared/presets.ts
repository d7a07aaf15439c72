/** Settings that the user named, and marks that the user gave to parts of a run. */
import * as z from 'zod'
import { ExperimentKindName } from './experiments/index.ts'

export const PresetName = z.string().trim().min(1, 'a preset needs a name').max(60)

export const Preset = z.strictObject({
  kind: ExperimentKindName,
  name: PresetName,
  /** As the kind's own schema has them: `AscentSettings` for activation maximisation. */
  settings: z.json(),
})
export type Preset = z.infer<typeof Preset>

/** By the number of a part (a draw of a search): liked or rejected. */
export const RunMarks = z.record(z.string().regex(/^\d{1,6}$/), z.enum(['star', 'reject']))
export type RunMarks = z.infer<typeof RunMarks>
