import { beforeEach, describe, expect, it } from 'vitest'
import type * as z from 'zod'
import type { Preset } from '../../shared/presets.ts'
import { createPresets } from './presets.ts'
import type { PresetsService } from './services.ts'

const kind = 'activation-maximisation' as const
const preset = (name: string, decay: number): Preset => ({ kind, name, settings: { decay } })
let stored: Map<string, unknown>
let presets: PresetsService

beforeEach(() => {
  stored = new Map()
  const settings = {
    get: <S extends z.ZodType>(key: string, schema: S, fallback: z.infer<S>): z.infer<S> =>
      stored.has(key) ? schema.parse(stored.get(key)) : fallback,
    set: (key: string, value: unknown) => void stored.set(key, JSON.parse(JSON.stringify(value))),
  }
  presets = createPresets({ settings } as Parameters<typeof createPresets>[0])
})

describe('presets', () => {
  it('are kept by kind and name, in the order of their names', async () => {
    await presets.save(preset('sharp', 0.1))
    await presets.save(preset('blurred', 0.2))
    await presets.save(preset('sharp', 0.3))
    expect(await presets.list({ kind })).toEqual([preset('blurred', 0.2), preset('sharp', 0.3)])
    expect(await presets.list({ kind: 'deconvnet' })).toEqual([])
  })

  it('can be removed once', async () => {
    await presets.save(preset('sharp', 0.1))
    await presets.remove({ kind, name: 'sharp' })
    expect(await presets.list({ kind })).toEqual([])
    await expect(presets.remove({ kind, name: 'sharp' })).rejects.toThrow('There is no preset "sharp"')
  })
})
