/** `.safetensors`: weights in PyTorch's names and layouts, or in ConvScope's. */
import { toFloat32 } from '../../files/element-types.ts'
import { readSafetensorsHeader } from '../../files/safetensors-header.ts'
import type { SourceFile } from '../../files/source-file.ts'
import type { Importer } from '../imported-network.ts'
import { EXPORT_ONNX } from '../pytorch/torch-globals.ts'
import { bindWeights, type StoredTensor } from './bind-weights.ts'

const EXTENSION = /\.safetensors$/i

export const safetensors: Importer = {
  format: 'safetensors',
  recognises: (files) => files.length === 1 && files.every(isSafetensors),
  read: (files, options) =>
    Promise.resolve().then(() => {
      const [file] = files
      if (file === undefined) throw new RangeError('a safetensors file is needed')
      const inOrder = false
      return bindWeights(safetensorsIn(file), {
        source: file.name,
        format: 'safetensors',
        options,
        inOrder,
        remedy: EXPORT_ONNX,
      })
    }),
}

/** Every tensor of a safetensors file; values are read when they are asked for. @throws ConvScopeError as `readSafetensorsHeader` */
export function safetensorsIn(file: SourceFile): StoredTensor[] {
  return readSafetensorsHeader(file.size, (offset, length) => file.read(offset, length), file.name).map(
    ({ name, type, shape, offset, byteLength }) => ({
      name,
      shape,
      values: () => toFloat32(file.read(offset, byteLength), type),
    }),
  )
}

/** By the brace behind the length of its header; by name where that is damaged. */
function isSafetensors(file: SourceFile): boolean {
  if (EXTENSION.test(file.name)) return true
  if (file.size < 10) return false
  const head = file.read(0, 9)
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true)
  return length <= BigInt(file.size - 8) && length > 0n && head[8] === 0x7b
}
