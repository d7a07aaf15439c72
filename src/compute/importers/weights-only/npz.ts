/** NumPy's `.npz`: weights under ConvScope's names and layouts, or under PyTorch's. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { openNpy } from '../../files/npy-file.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { isZip, openZip } from '../../files/zip-reader.ts'
import type { Importer } from '../imported-network.ts'
import { EXPORT_ONNX } from '../pytorch/torch-globals.ts'
import { bindWeights, type StoredTensor } from './bind-weights.ts'

const EXTENSION = /\.npz$/i

export const npz: Importer = {
  format: 'NumPy .npz',
  recognises: (files) => files.length === 1 && files.every(isNpz),
  read: (files, options) =>
    Promise.resolve().then(() => {
      const [file] = files
      if (file === undefined) throw new RangeError('a .npz file is needed')
      const archive = openZip(file)
      const stored = [...archive.entries.keys()].map((entry): StoredTensor => {
        const open = () => openNpy(archive.open(entry))
        // Opened again for its values, so that no more than one unpacked array is in memory.
        const name = entry.replace(/\.npy$/, '')
        // Kernels in × out come from programs that keep channels last; those out × in are told by their names.
        return { name, shape: open().shape, values: () => open().values(), flattened: 'hwc' }
      })
      return bindWeights(stored, {
        source: file.name,
        format: 'NumPy .npz',
        options,
        inOrder: false,
        remedy: EXPORT_ONNX,
      })
    }),
}

function isNpz(file: SourceFile): boolean {
  if (!isZip(file)) return false
  try {
    const names = [...openZip(file).entries.keys()]
    return names.length > 0 && names.every((name) => name.endsWith('.npy'))
  } catch (error) {
    if (error instanceof ConvScopeError) return EXTENSION.test(file.name)
    throw error
  }
}
