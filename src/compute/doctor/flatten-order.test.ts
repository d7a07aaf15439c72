import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import { parseNetworkSpec } from '../network/graph.ts'
import { Network } from '../network/network.ts'
import { RandomStream } from '../random.ts'
import { examineFlattenOrder, orderEvidence } from './flatten-order.ts'

const FOLDER = join(import.meta.dirname, '../../../resources/networks/mnist-convnet')

let engine: Engine
beforeAll(async () => {
  engine = await startCpu()
})

describe('the order of a flatten layer', () => {
  it('is recognised in the digit network that comes with the program', async () => {
    const spec = parseNetworkSpec(JSON.parse(await readFile(join(FOLDER, 'network.json'), 'utf8')))
    const weights = await readFile(join(FOLDER, 'weights.safetensors'))
    const network = Network.load(engine.tf, spec, weights)
    expect(await examineFlattenOrder(network)).toEqual([])
    network.dispose()

    const layers = spec.layers.map((layer) => (layer.type === 'flatten' ? { ...layer, order: 'chw' as const } : layer))
    const wrong = Network.load(engine.tf, { ...spec, layers }, weights)
    const [finding, ...others] = await examineFlattenOrder(wrong)
    expect(others).toEqual([])
    expect(finding).toMatchObject({ code: 'flatten-order', severity: 'warning', layer: 'flatten' })
    expect(finding?.remedy).toContain('order "hwc" for flatten')
    wrong.dispose()
  })

  it('is not suspected in weights without structure', () => {
    const random = new RandomStream(3, 'weights')
    const kernel = Float32Array.from({ length: 7 * 7 * 32 * 20 }, () => random.normal())
    const { hwc, chw, chance } = orderEvidence(kernel, 20, [7, 7, 32])
    expect(hwc).toBeLessThan(3 * chance)
    expect(chw).toBeLessThan(3 * chance)
  })

  it('is seen in weights whose size depends on the channel alone', () => {
    const kernel = Float32Array.from({ length: 4 * 3 * 2 }, (_, index) => 1 + (Math.floor(index / 2) % 3))
    expect(orderEvidence(kernel, 2, [2, 2, 3]).hwc).toBeCloseTo(1, 10)
    expect(orderEvidence(kernel, 2, [2, 2, 3]).chw).toBeLessThan(0.1)
  })
})
