/** The one contract of window, page and command line with main: parsed by its schemas on both sides. */
import { datasets } from './datasets.ts'
import { jobs } from './jobs.ts'
import { live } from './live.ts'
import { networks } from './networks.ts'
import { presets } from './presets.ts'
import { runs } from './runs.ts'
import { system } from './system.ts'

export const contract = { system, networks, datasets, jobs, runs, presets, live }
export type Contract = typeof contract
