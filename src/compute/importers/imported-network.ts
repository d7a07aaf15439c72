/** What every importer takes and gives. */
import type { Finding } from '../../shared/network/finding.ts'
import type { NetworkSpec } from '../../shared/network/spec.ts'
import type { SourceFile } from '../files/source-file.ts'

export interface ImportOptions {
  /** Name of the network in the library; importers put it into the spec. */
  readonly name: string
  /** For files that hold only weights: the layers that they belong to. Absent where the user named none. */
  readonly architecture?: NetworkSpec
  /** Called now and then, from 0 to 1. */
  readonly onProgress?: (fraction: number) => void
  readonly signal?: AbortSignal
}

/** A parameter in ConvScope's layout (see `NetworkSpec`); `values` may be made when it is asked for and is not kept. */
export interface ImportedTensor {
  readonly shape: readonly number[]
  /** May be called once or more; float32, `shape` in row-major order. */
  readonly values: () => Float32Array
}

export interface ImportedNetwork {
  /** Every layer's shape has been worked out; preprocessing and classes as far as the files tell them. */
  readonly spec: NetworkSpec
  /** By `<layer>/<parameter>`, exactly those that `storedTensors` names for the spec: with the mean picture where it subtracts one. */
  readonly tensors: ReadonlyMap<string, ImportedTensor>
  /** Unknown operators, guessed preprocessing, ignored parts. */
  readonly findings: readonly Finding[]
}

/** One of a format. */
export interface Importer {
  /** As users know it: 'Caffe', 'ONNX', 'Keras' … */
  readonly format: string
  /** Whether these files are of this format, by their contents first, by their names second. Reads a few kilobytes at most. */
  readonly recognises: (files: readonly SourceFile[]) => boolean
  /**
   * @throws ConvScopeError 'damaged', 'too-large', 'unsupported' or 'invalid-input' that names the file, the place and what to do
   */
  readonly read: (files: readonly SourceFile[], options: ImportOptions) => Promise<ImportedNetwork>
}
