/** Activations that another program computed, from a `.npz` with one array a layer, or a `.npy` of one layer. */
import { ConvScopeError } from '../../shared/errors.ts'
import { isNpy, openNpy } from '../files/npy-file.ts'
import type { SourceFile } from '../files/source-file.ts'
import { isZip, openZip } from '../files/zip-reader.ts'
import { sizeOf } from '../../shared/size-of.ts'

export interface ReferenceArray {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** Values of all arrays together: those of VGG-16 for one picture are 15 million. */
const MAX_VALUES = 2 ** 27

/**
 * By layer, as the file names them.
 * @param layer for a `.npy`: which layer it is of
 * @throws ConvScopeError 'unsupported' for another kind of file, 'invalid-input' without the layer of a `.npy`, 'too-large', 'damaged'
 */
export function readReference(file: SourceFile, layer?: string): Map<string, ReferenceArray> {
  if (isNpy(file)) {
    if (layer === undefined) {
      throw new ConvScopeError('invalid-input', `${file.name} does not say which layer its values are of.`, {
        remedy: 'Name the layer, or save a .npz with one array for each layer.',
      })
    }
    const { shape, values } = openNpy(file)
    requireSize(file, shape, 0)
    return new Map([[layer, { shape, values: values() }]])
  }
  if (!isZip(file)) {
    throw new ConvScopeError('unsupported', `${file.name} is neither .npy nor .npz.`, {
      remedy: 'Save the activations with numpy.savez, one array for each layer, under the names of the layers.',
    })
  }
  const archive = openZip(file)
  const arrays = new Map<string, ReferenceArray>()
  let total = 0
  for (const name of archive.entries.keys()) {
    if (!name.endsWith('.npy')) continue
    const array = openNpy(archive.open(name))
    total = requireSize(file, array.shape, total)
    arrays.set(name.slice(0, -'.npy'.length), { shape: array.shape, values: array.values() })
  }
  return arrays
}

function requireSize(file: SourceFile, shape: readonly number[], before: number): number {
  const total = before + sizeOf(shape)
  if (total <= MAX_VALUES) return total
  throw new ConvScopeError('too-large', `${file.name} has more than ${MAX_VALUES} values.`, {
    remedy: 'Save the activations for one picture.',
  })
}
