/** Tensors of PyTorch's files: views of a storage by offset, size and strides. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import { BYTES_OF_TYPE, toFloat32, type ElementType } from '../../files/element-types.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { gatherStrided } from '../../files/strided.ts'

const MAX_RANK = 16
const MAX_VALUES = 2 ** 31

/** Numbers in a row, shared by the tensors that view them. */
export class TorchStorage {
  /** Undefined where the tensors say it themselves (untyped storages). */
  readonly type: ElementType | undefined
  /** Elements, or bytes of an untyped storage. */
  readonly count: number
  /** A file of exactly the storage's bytes. */
  readonly open: () => SourceFile

  constructor(type: ElementType | undefined, count: number, open: () => SourceFile) {
    this.type = type
    this.count = count
    this.open = open
  }
}

export interface TorchView {
  readonly storage: TorchStorage
  readonly offset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
  readonly type: ElementType
}

export class TorchTensor {
  readonly shape: readonly number[]
  readonly type: ElementType
  readonly #view: TorchView

  /**
   * @param source what the messages call the file
   * @throws ConvScopeError 'damaged' where the view reaches out of its storage
   */
  constructor(view: TorchView, source: string) {
    const { storage, offset, shape, strides, type } = view
    const whole = [offset, ...shape, ...strides].every((value) => Number.isSafeInteger(value) && value >= 0)
    const count = sizeOf(shape)
    const last = shape.reduce((place, extent, axis) => place + (extent - 1) * (strides[axis] ?? 0), offset)
    const room = storage.type === undefined ? storage.count / BYTES_OF_TYPE[type] : storage.count
    if (
      !whole ||
      shape.length > MAX_RANK ||
      shape.length !== strides.length ||
      count > MAX_VALUES ||
      (count > 0 && last >= room)
    ) {
      throw new ConvScopeError(
        'damaged',
        `${source} cannot be read: a tensor of shape [${shape.join(', ')}] reaches out of its storage of ${storage.count}.`,
        { remedy: 'Copy, download or save the file again.' },
      )
    }
    this.shape = shape
    this.type = type
    this.#view = view
  }

  /** In row-major order, read anew at every call. */
  values(): Float32Array {
    const { storage, offset, shape, strides, type } = this.#view
    const count = sizeOf(shape)
    if (count === 0) return new Float32Array(0)
    const width = BYTES_OF_TYPE[type]
    const span = shape.reduce((reach, extent, axis) => reach + (extent - 1) * (strides[axis] ?? 0), 1)
    const stored = toFloat32(storage.open().read(offset * width, span * width), type)
    return isRowMajor(shape, strides) ? stored : gatherStrided(stored, shape, strides)
  }
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = shape[axis] ?? 1
    if (extent !== 1 && strides[axis] !== step) return false
    step *= extent
  }
  return true
}
