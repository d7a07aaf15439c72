/** Results of operations whose inputs never change, computed once and kept for the captured steps that use them. */
import { createHash } from 'node:crypto'
import type { NodeBackend } from '../tensorflow-kernels.ts'
import { bytesOf } from './compare-recordings.ts'
import { isConstantData, type ConstantData, type FixedValue, type FoldedValue, type Value } from './recording.ts'
import { uploadPending } from './tensor-data.ts'

interface Kept {
  readonly id: number
  users: number
}

/** Shared by all steps of an engine: the walks of one network fold the same filters. */
export class FoldedTensors {
  readonly #backend: NodeBackend
  /** By `keyOf`. */
  readonly #kept = new Map<string, Kept>()
  readonly #dataNumbers = new WeakMap<object, number>()
  #nextNumber = 0

  constructor(backend: NodeBackend) {
    this.#backend = backend
  }

  /** What tells a constant, a tensor from outside and a folded result apart. */
  keyOf(value: FixedValue): string {
    if (value.kind === 'folded') return value.key
    if (value.kind === 'constant') {
      return `${value.dtype}[${value.shape.join()}]${createHash('sha256').update(bytesOf(value)).digest('base64')}`
    }
    const number = this.#dataNumbers.get(value.dataId) ?? this.#nextNumber++
    this.#dataNumbers.set(value.dataId, number)
    return `outside ${number}[${value.shape.join()}]`
  }

  /** The binding's number of a folded tensor, which stays until `release`. Computes it where no step uses it yet. */
  acquire(value: FoldedValue): number {
    const kept = this.#kept.get(value.key) ?? { id: this.#compute(value), users: 0 }
    kept.users++
    this.#kept.set(value.key, kept)
    return kept.id
  }

  release(key: string): void {
    const kept = this.#kept.get(key)
    if (kept === undefined || --kept.users > 0) return
    this.#kept.delete(key)
    this.#backend.binding.deleteTensor(kept.id)
  }

  /** The values of a folded tensor; undefined for types that JavaScript does not make. */
  read(value: FoldedValue): ConstantData | undefined {
    const data = this.#backend.binding.tensorDataSync(this.acquire(value))
    this.release(value.key)
    return isConstantData(data) ? data : undefined
  }

  #compute({ node, output }: FoldedValue): number {
    const { binding, tensorMap } = this.#backend
    const temporary: number[] = []
    const release: string[] = []
    const idOf = (value: Value): number => {
      if (value.kind === 'captured') {
        const info = tensorMap.get(value.dataId)
        uploadPending(binding, info)
        return info.id
      }
      if (value.kind === 'constant') {
        const id = binding.createTensor([...value.shape], value.dtype, value.data)
        temporary.push(id)
        return id
      }
      if (value.kind !== 'folded') throw new Error(`${node.operation} cannot be folded`)
      release.push(value.key)
      return this.acquire(value)
    }
    try {
      const results = binding.executeOp(node.operation, node.attributes, node.inputs.map(idOf), node.outputs.length)
      const wanted = results[output]
      if (wanted === undefined) throw new Error(`${node.operation} has no result ${output}`)
      temporary.push(...results.filter((result) => result !== wanted).map(({ id }) => id))
      return wanted.id
    } finally {
      for (const id of temporary) binding.deleteTensor(id)
      for (const key of release) this.release(key)
    }
  }
}
