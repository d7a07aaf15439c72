import { beforeAll, describe } from 'vitest'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import { checkAscents, LAYERS } from './testing/ascent-checks.ts'

describe('ascents', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await startCpu()
  })
  checkAscents(() => engine, ['all'], LAYERS.slice(0, 1))
})
