/** Weights and mean pictures as Caffe keeps them. */
import type { SourceFile } from '../../files/source-file.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import { BYTES_OF_TYPE, type ElementType } from '../../files/element-types.ts'
import { storedValues, type StoredRun, type StoredValues } from '../assembly/stored-values.ts'
import type { Blob } from './schema.ts'

export interface StoredBlob {
  /** Today's shape, or `[number, channels, height, width]` of older files. */
  readonly shape: readonly number[]
  readonly values: StoredValues
}

/**
 * @param path what messages call it
 * @throws ConvScopeError 'damaged' where the shape does not hold as many values as there are
 */
export function storedBlob(blob: Blob, file: SourceFile, path: string): StoredBlob {
  const values = storedValues(runsOf(blob, file, path))
  const legacy = [blob.num, blob.channels, blob.height, blob.width]
  const shape =
    blob.shape?.dim ?? (legacy.some((size) => size !== undefined) ? legacy.map((size) => size ?? 1) : [values.count])
  const count = sizeOf(shape)
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0) || count !== values.count) {
    throw damagedBlob(file, `${path} of shape [${shape.join(', ')}] needs ${count} values and has ${values.count}`)
  }
  return { shape, values }
}

function runsOf(blob: Blob, file: SourceFile, path: string): readonly StoredRun[] {
  if (blob.data.length > 0) return blob.data
  if (blob.double_data.length > 0) return blob.double_data
  if (blob.raw_data === undefined) return []
  const type = blob.raw_data_type
  if (!isRawType(type)) throw damagedBlob(file, `${path} has values of the unknown kind ${type ?? 'unset'}`)
  const { from, to } = blob.raw_data
  const stride = BYTES_OF_TYPE[type]
  if ((to - from) % stride !== 0) throw damagedBlob(file, `${path} ends within a value`)
  return [{ file, offset: from, count: (to - from) / stride, type, stride }]
}

function isRawType(type: string | undefined): type is ElementType & ('float64' | 'float32' | 'float16') {
  return type === 'float64' || type === 'float32' || type === 'float16'
}

function damagedBlob(file: SourceFile, reason: string): ConvScopeError {
  return new ConvScopeError('damaged', `${file.name} cannot be read: ${reason}.`, {
    remedy: 'Copy or download the file again.',
  })
}
