/** Every migration in order. A new one is one file here, one test beside it, and one line in this list. */
import { library } from './0010-library.ts'
import { looks } from './0030-looks.ts'
import { networkOrigin } from './0040-network-origin.ts'
import { datasetSources } from './0050-dataset-sources.ts'
import type { Migration } from './migration.ts'
import { runs } from './0020-runs.ts'

export const migrations: readonly Migration[] = [library, runs, looks, networkOrigin, datasetSources]
