import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeOnTensorflow } from '../engines/compiled/testing/on-tensorflow.ts'
import { CompiledWalks } from './compiled-walks.ts'
import { DECONVNET_CASES, deconvnetRows } from './conformance/deconvnet-cases.ts'
import { failures } from './conformance/index.ts'

const folder = join(import.meta.dirname, '../../../tests/conformance')

describeOnTensorflow('walks captured as graphs', (engine) => {
  test.each(DECONVNET_CASES)('give the stored projections of %s', async (name) => {
    const { tf, memory } = engine()
    const before = memory().tensors
    const kept: { walks?: CompiledWalks } = {}
    const rows = await deconvnetRows(tf, folder, name, (network) => {
      // Stored cases have several pictures: the first is captured, the others run as graphs.
      kept.walks = new CompiledWalks(engine(), network, { captureAfter: 0 })
      network.onDispose(() => kept.walks?.dispose())
      return kept.walks
    })
    expect(failures(rows)).toEqual([])
    // To the last digit of every error: the same bits.
    expect(rows).toEqual(await deconvnetRows(tf, folder, name))
    expect(rows.length).toBeGreaterThan(10)
    expect(memory().tensors).toBe(before)
  })
})
