import { eventIterator, oc } from '@orpc/contract'
import * as z from 'zod'
import { EngineReport, EngineWish } from '../engines.ts'
import { ErrorReport } from '../errors.ts'
import { SessionStatus } from '../session.ts'
import { failures } from './failures.ts'

/** Progress of fetching the native engine. */
export const EngineInstall = z.discriminatedUnion('state', [
  z.object({ state: z.literal('installed') }),
  z.object({ state: z.literal('missing'), reason: z.string() }),
  z.object({ state: z.literal('installing'), message: z.string(), fraction: z.number().min(0).max(1).optional() }),
  z.object({ state: z.literal('failed'), error: ErrorReport }),
])
export type EngineInstall = z.infer<typeof EngineInstall>

const SettingsFields = z.object({
  engine: EngineWish,
  /** Threads of the engine; all cores when left out. */
  threads: z.number().int().min(1).max(512).optional(),
  theme: z.enum(['system', 'light', 'dark']),
})
export const Settings = SettingsFields.extend({
  engine: SettingsFields.shape.engine.default('auto'),
  theme: SettingsFields.shape.theme.default('system'),
})
export type Settings = z.infer<typeof Settings>

/** Without defaults: what a change does not name stays as it is. */
export const SettingsChange = SettingsFields.partial()

export const SystemStatus = z.object({
  session: SessionStatus,
  nativeEngine: EngineInstall,
  mainResidentBytes: z.number(),
})
export type SystemStatus = z.infer<typeof SystemStatus>

export const ProjectHealth = z.object({
  ok: z.boolean(),
  runs: z.number().int(),
  artifacts: z.number().int(),
  artifactBytes: z.number(),
  /** One sentence each: missing or damaged artifacts, unreadable rows, a damaged database. */
  problems: z.array(z.string()),
})
export type ProjectHealth = z.infer<typeof ProjectHealth>

export const DoctorReport = z.object({
  program: z.string(),
  platform: z.string(),
  node: z.string(),
  cpu: z.string(),
  cores: z.number().int(),
  memoryBytes: z.number(),
  freeMemoryBytes: z.number(),
  engines: z.array(EngineReport),
  session: SessionStatus,
  folders: z.object({ project: z.string(), cache: z.string(), config: z.string() }),
  versions: z.record(z.string(), z.string()),
  project: ProjectHealth,
})
export type DoctorReport = z.infer<typeof DoctorReport>

export const system = {
  about: oc.errors(failures).output(
    z.object({
      program: z.string(),
      project: z.object({ name: z.string(), folder: z.string() }),
      shell: z.enum(['window', 'page', 'command']),
    }),
  ),
  status: oc.errors(failures).output(eventIterator(SystemStatus)),
  /** `full` reads every artifact; `speed` measures the engine too, for some seconds in which it does nothing else. */
  doctor: oc
    .errors(failures)
    .input(z.object({ full: z.boolean().default(false), speed: z.boolean().default(true) }))
    .output(DoctorReport),
  settings: oc.errors(failures).output(Settings),
  changeSettings: oc.errors(failures).input(SettingsChange).output(Settings),
  restartSession: oc.errors(failures).output(z.void()),
  installEngine: oc.errors(failures).output(z.void()),
}
