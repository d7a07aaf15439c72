import { beforeAll, describe, expect, it } from 'vitest'
import { NetworkSpec } from '../../shared/network/spec.ts'
import { startCpu } from '../engines/cpu.ts'
import type { Engine } from '../engines/engine.ts'
import { buildGraph } from './graph.ts'
import { checkWindowedProjections } from './testing/windowed-checks.ts'
import { planWindows, type WindowPlan } from './windowed-plan.ts'

describe('windowed projections', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await startCpu()
  })
  checkWindowedProjections(
    () => engine,
    [
      { relu: 'gradient', unpool: 'sum', lrn: 'derivative' },
      { relu: 'guided', unpool: 'overwrite', lrn: 'identity' },
      { relu: 'deconvnet', unpool: 'max', lrn: 'derivative' },
    ],
  )
})

describe('plans of windows', () => {
  const conv = (name: string, extra: object = {}) => ({ name, type: 'conv2d', filters: 2, kernel: [3, 3], ...extra })
  const graphOf = (layers: object[]) =>
    buildGraph(
      NetworkSpec.parse({
        format: 'convscope-network',
        version: 1,
        name: 'n',
        title: 'n',
        preprocessing: { channelOrder: 'grey' },
        layers: [{ name: 'input', type: 'input', shape: [20, 20, 1] }, ...layers],
      }),
    )

  it('are as large as the receptive field', () => {
    const plan = planWindows(
      graphOf([conv('conv1', { stride: [2, 2] }), { name: 'pool1', type: 'max-pool', kernel: [2, 2], stride: [2, 2] }]),
      'pool1',
      'sum',
    ) as WindowPlan
    expect(plan.byName.get('input')?.range.rows).toEqual({ size: 5, stride: 4, offset: 0 })
    expect(plan.share).toBeLessThan(0.1)
  })

  it.each([
    [
      'dense',
      [
        { name: 'flat', type: 'flatten' },
        { name: 'top', type: 'dense', units: 3 },
      ],
      /top have no places/,
    ],
    ['mean', [{ name: 'flat', type: 'global-avg-pool' }], /flat have no places/],
    ['up', [conv('c'), { name: 'top', type: 'upsample', factor: [2, 2] }, conv('d')], /windows of several sizes/],
  ])('say why there are none: %s', (_, layers, reason) => {
    const graph = graphOf(layers)
    expect(planWindows(graph, graph.output.name, 'sum')).toMatchObject({
      reason: expect.stringMatching(reason) as string,
    })
  })
})
