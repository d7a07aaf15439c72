import { oc } from '@orpc/contract'
import * as z from 'zod'
import { ExperimentKindName } from '../experiments/index.ts'
import { Preset, PresetName } from '../presets.ts'
import { failures } from './failures.ts'

/** Settings that the user named, kept in the project. */
export const presets = {
  list: oc
    .errors(failures)
    .input(z.object({ kind: ExperimentKindName }))
    .output(z.array(Preset)),
  /** Replaces one of the same name. */
  save: oc.errors(failures).input(Preset).output(z.void()),
  remove: oc
    .errors(failures)
    .input(z.object({ kind: ExperimentKindName, name: PresetName }))
    .output(z.void()),
}
