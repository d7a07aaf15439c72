import { describe, expect, it } from 'vitest'
import { sourceFileOf } from '../../files/source-file.ts'
import { CaseFile } from '../../network/conformance/case-file.ts'
import { failures } from '../../network/conformance/index.ts'
import { importNetwork } from '../index.ts'
import { CONFORMANCE_FOLDER, exampleBytes, exampleFiles } from '../testing/example-files.ts'
import { fuzzImporter } from '../testing/fuzz.ts'
import { activationRows } from '../testing/layer-activations.ts'
import { refusal } from '../testing/refusal.ts'
import { onnxImporter } from './importer.ts'

const options = { name: 'tb' }

describe('import of ONNX networks', () => {
  it.for([
    { title: 'tb', files: ['tb.onnx'], rows: 12 },
    { title: 'ta', files: ['ta.onnx'], rows: 10 },
    { title: 'onnx-operators', files: ['onnx-operators.onnx'], rows: 36 },
    { title: 'onnx-older', files: ['onnx-older.onnx'], rows: 8 },
    { title: 'onnx-channels-last', files: ['onnx-channels-last.onnx', 'onnx-channels-last.weights'], rows: 8 },
  ])('computes what the reference computes: $title', async ({ title, files, rows: count }) => {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, `files-${title}`)
    const network = await importNetwork(exampleFiles(...files), options)
    const rows = await activationRows(network, file, file.values('x'))
    expect(failures(rows)).toEqual([])
    expect(rows.map(({ quantity }) => quantity)).toHaveLength(count)
  })

  it('keeps what is below an unsupported operator, and names it', async () => {
    const [file] = exampleBytes('onnx-operators.onnx')
    // The type of the two last poolings becomes one that does not exist.
    const bytes = Buffer.from(file?.bytes ?? [])
    for (let place = bytes.indexOf('GlobalAveragePool'); place !== -1; place = bytes.indexOf('GlobalAveragePool')) {
      bytes.write('GlobalAverageGoal', place)
    }
    const { spec, findings } = await importNetwork([sourceFileOf('changed.onnx', bytes)], options)
    expect(spec.layers.at(-1)?.name).toBe('gmp')
    expect(findings).toContainEqual(
      expect.objectContaining({
        code: 'unsupported-operator',
        severity: 'error',
        message: expect.stringContaining('GlobalAverageGoal (layer gap)') as string,
      }),
    )
  })

  it('reads weights of their own file only where that file is given', async () => {
    const error = await refusal(importNetwork(exampleFiles('onnx-channels-last.onnx'), options))
    expect(error.code).toBe('invalid-input')
    expect(error.message).toContain('onnx-channels-last.weights')
  })

  it('says that the preprocessing is guessed', async () => {
    const { spec, findings } = await importNetwork(exampleFiles('tb.onnx'), options)
    expect(spec.preprocessing).toMatchObject({ channelOrder: 'rgb', scale: 1 / 255, mean: [] })
    expect(findings).toContainEqual(expect.objectContaining({ code: 'guessed-preprocessing', severity: 'warning' }))
  })

  it.for([
    { file: 'damaged/truncated-tb.onnx', code: 'damaged', message: 'at byte 15, field 7 of model' },
    { file: 'damaged/not-onnx.onnx', code: 'damaged', message: 'a ZIP archive' },
  ])('refuses $file', async ({ file, code, message }) => {
    const error = await refusal(onnxImporter.read(exampleFiles(file), options))
    expect(error.code).toBe(code)
    expect(error.message).toContain(message)
    expect(error.remedy).toBeDefined()
  })

  it.for([['tb.onnx'], ['onnx-operators.onnx'], ['onnx-channels-last.onnx', 'onnx-channels-last.weights']])(
    'refuses or reads damaged copies of %s, soon',
    async (names) => {
      const { refused, read } = await fuzzImporter(onnxImporter, exampleBytes(...names), { mutations: 500 })
      expect(refused).toBeGreaterThan(100)
      expect(read + refused).toBe(500)
    },
  )
})
