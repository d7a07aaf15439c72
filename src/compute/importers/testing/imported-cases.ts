/** One file of every format that holds layers, with the activations that its own library computes. */
import { CaseFile } from '../../network/conformance/case-file.ts'
import type { Row, Values } from '../../network/conformance/rows.ts'
import type { TensorFlow } from '../../network/layer.ts'
import { importNetwork } from '../index.ts'
import { CONFORMANCE_FOLDER, exampleFiles } from './example-files.ts'
import { activationRows } from './layer-activations.ts'

interface ImportedCase {
  /** Name of the stored case, without `files-`. */
  readonly stored: string
  readonly files: readonly string[]
  /** The imported layer for a stored one that is called otherwise. */
  readonly layers?: Readonly<Record<string, string>>
  /** The stored input has blue first. */
  readonly takesRedFirst?: true
}

const layers = { flatten: 'fc3-flatten' }

export const IMPORTED_CASES: readonly ImportedCase[] = [
  { stored: 'tb', files: ['tb-v2.prototxt', 'tb-v2.caffemodel', 'tb-mean.binaryproto'], layers },
  { stored: 'tb', files: ['tb-v1.caffemodel'], layers },
  { stored: 'tb', files: ['tb-matconvnet.mat'], layers, takesRedFirst: true },
  { stored: 'tb', files: ['tb-matconvnet-v73.mat'], layers, takesRedFirst: true },
  { stored: 'matconvnet-dag', files: ['matconvnet-dag.mat'] },
  { stored: 'tb', files: ['tb.onnx'] },
  { stored: 'ta', files: ['ta.onnx'] },
  { stored: 'onnx-operators', files: ['onnx-operators.onnx'] },
  { stored: 'onnx-channels-last', files: ['onnx-channels-last.onnx', 'onnx-channels-last.weights'] },
  { stored: 'ta', files: ['ta-keras2.h5'] },
  { stored: 'tk', files: ['tk.keras'] },
  { stored: 'keras-nested', files: ['keras-nested.keras'] },
  { stored: 'ta', files: ['ta-tfjs/model.json', 'ta-tfjs/group1-shard1of2.bin', 'ta-tfjs/group1-shard2of2.bin'] },
]

/** A row for each stored layer of every case. */
export async function importedRows(tf: TensorFlow): Promise<Row[]> {
  const rows: Row[] = []
  for (const { stored, files, layers: renamed, takesRedFirst } of IMPORTED_CASES) {
    const file = await CaseFile.read(CONFORMANCE_FOLDER, `files-${stored}`)
    const imported = await importNetwork(exampleFiles(...files), { name: stored })
    const input = file.values('x')
    rows.push(...(await activationRows(imported, file, takesRedFirst ? redFirst(input) : input, renamed, tf)))
  }
  return rows
}

/** Blue, green, red in the order red, green, blue. */
export function redFirst({ shape, data }: Values): Values {
  const turned = Float32Array.from(data)
  for (let place = 0; place < turned.length; place += 3) turned.subarray(place, place + 3).reverse()
  return { shape, data: turned }
}
