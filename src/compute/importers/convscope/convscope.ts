/** ConvScope's own form of a network: `network.json` and `weights.safetensors`, as two files or in one `.zip`. */
import { ConvScopeError } from '../../../shared/errors.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { isZip, openZip } from '../../files/zip-reader.ts'
import { parseNetworkSpec } from '../../network/graph.ts'
import type { Importer } from '../imported-network.ts'
import { safetensorsIn } from '../weights-only/safetensors.ts'

/** Names of the two files. */
export const SPEC_FILE = 'network.json'
export const WEIGHTS_FILE = 'weights.safetensors'
const MAX_SPEC_BYTES = 64 * 2 ** 20
const MARK = /"format"\s*:\s*"convscope-network"/

interface Parts {
  readonly spec: SourceFile
  readonly weights: SourceFile
}

export const convscope: Importer = {
  format: 'ConvScope',
  recognises: (files) => {
    try {
      const parts = partsOf(files)
      return parts !== undefined && MARK.test(textOf(parts.spec, Math.min(parts.spec.size, 4096)))
    } catch (error) {
      if (error instanceof ConvScopeError) return false
      throw error
    }
  },
  read: (files, options) =>
    Promise.resolve().then(() => {
      const parts = partsOf(files)
      if (parts === undefined) {
        throw new ConvScopeError(
          'damaged',
          `${files.map(({ name }) => name).join(', ')}: ${SPEC_FILE} or ${WEIGHTS_FILE} is missing.`,
          {
            remedy: 'Choose both files, or the .zip as it was exported.',
          },
        )
      }
      const spec = parseNetworkSpec(jsonOf(parts.spec))
      const tensors = new Map(safetensorsIn(parts.weights).map(({ name, shape, values }) => [name, { shape, values }]))
      return { spec: { ...spec, name: options.name }, tensors, findings: [] }
    }),
}

function partsOf(files: readonly SourceFile[]): Parts | undefined {
  const [first] = files
  if (first === undefined) return undefined
  if (files.length === 1 && isZip(first)) {
    const archive = openZip(first)
    if (!archive.entries.has(SPEC_FILE) || !archive.entries.has(WEIGHTS_FILE)) return undefined
    return { spec: archive.open(SPEC_FILE), weights: archive.open(WEIGHTS_FILE) }
  }
  const spec = files.find((file) => /\.json$/i.test(file.name))
  const weights = files.find((file) => /\.safetensors$/i.test(file.name))
  return files.length !== 2 || spec === undefined || weights === undefined ? undefined : { spec, weights }
}

function textOf(file: SourceFile, length: number): string {
  return new TextDecoder().decode(file.read(0, length))
}

function jsonOf(file: SourceFile): unknown {
  if (file.size > MAX_SPEC_BYTES) {
    throw new ConvScopeError('too-large', `${file.name} has ${file.size} bytes.`, {
      remedy: 'Choose the file of a network.',
    })
  }
  try {
    return JSON.parse(textOf(file, file.size))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConvScopeError('damaged', `${file.name} is not JSON (${reason}).`, {
      remedy: 'Copy or export the network again.',
    })
  }
}
