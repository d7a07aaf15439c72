/** Every format that a network can be imported from. */
import { ConvScopeError } from '../../shared/errors.ts'
import { describeContents } from '../files/file-kind.ts'
import type { SourceFile } from '../files/source-file.ts'
import { caffeImporter } from './caffe/importer.ts'
import { checkImported } from './check-imported.ts'
import type { ImportedNetwork, Importer, ImportOptions } from './imported-network.ts'
import { convscope } from './convscope/convscope.ts'
import { matconvnetImporter } from './matconvnet/importer.ts'
import { onnxImporter } from './onnx/importer.ts'
import { keras } from './keras/keras.ts'
import { pytorch } from './pytorch/pytorch.ts'
import { tfjsLayers } from './tfjs-layers/tfjs-layers.ts'
import { npz } from './weights-only/npz.ts'
import { safetensors } from './weights-only/safetensors.ts'

export { writeSafetensors, type WrittenFile } from './write-safetensors.ts'

/** Asked in this order: the first that recognises the files reads them. Those that hold layers come before those of weights alone. */
export const importers: readonly Importer[] = [
  convscope,
  caffeImporter,
  onnxImporter,
  matconvnetImporter,
  keras,
  tfjsLayers,
  pytorch,
  safetensors,
  npz,
]

/** Formats in which one file tells a network alone; what else belongs to it is none of these. */
const ONE_FILE: readonly Importer[] = [onnxImporter, matconvnetImporter, keras, tfjsLayers, pytorch, safetensors, npz]
const ONE_AT_A_TIME = 'Import one network at a time, with the files that belong to it.'

/**
 * Reads a network from the files that make it up: one, or several that belong together.
 * @returns a checked network; its tensors' values are read when they are asked for, so the files stay open until then
 * @throws ConvScopeError 'damaged', 'too-large', 'unsupported', 'invalid-input' or 'cancelled' that names file, place and remedy
 */
export async function importNetwork(files: readonly SourceFile[], options: ImportOptions): Promise<ImportedNetwork> {
  const { importer, source } = chooseImporter(files)
  try {
    return checkImported(await importer.read(files, options), source)
  } catch (error) {
    throw options.signal?.aborted === true ? cancelled(error) : readError(error, source, importer.format)
  }
}

/** The format of the files, as users know it. @throws ConvScopeError as `importNetwork` for files of no known format */
export function formatOf(files: readonly SourceFile[]): string {
  return chooseImporter(files).importer.format
}

function chooseImporter(files: readonly SourceFile[]): { importer: Importer; source: string } {
  const source = files.map((file) => file.name).join(', ')
  if (files.length === 0) {
    throw new ConvScopeError('invalid-input', 'There is no file to import.', { remedy: formatsKnown() })
  }
  const empty = files.find((file) => file.size === 0)
  if (empty !== undefined) {
    throw new ConvScopeError('damaged', `${empty.name} is empty.`, { remedy: 'Copy or download the file again.' })
  }
  const [first, second] = files.filter((file) => ONE_FILE.some((candidate) => candidate.recognises([file])))
  if (first !== undefined && second !== undefined) {
    throw new ConvScopeError('invalid-input', `${first.name} and ${second.name} are two networks.`, {
      remedy: ONE_AT_A_TIME,
    })
  }
  const importer = importers.find((candidate) => candidate.recognises(files))
  if (importer === undefined) {
    const seen = files.map((file) => `${file.name} is ${describeContents(file)}`).join('; ')
    throw new ConvScopeError('unsupported', `No network can be read from ${source}: ${seen}.`, {
      remedy: formatsKnown(),
    })
  }
  const other = files.find((file) => belongsElsewhere(file, importer))
  if (other !== undefined) {
    throw new ConvScopeError(
      'invalid-input',
      `${source}: ${other.name} is another network than that of ${importer.format}.`,
      { remedy: ONE_AT_A_TIME },
    )
  }
  return { importer, source }
}

/** Whether a file alone is a network of another format; ConvScope's own form holds a file of weights. */
function belongsElsewhere(file: SourceFile, importer: Importer): boolean {
  if (importer === convscope || importer.recognises([file])) return false
  return importers.some((candidate) => candidate !== importer && candidate.recognises([file]))
}

function formatsKnown(): string {
  return `Choose the files of a network in one of these formats: ${importers.map(({ format }) => format).join(', ')}.`
}

/** Whatever a damaged file made a reader stumble over is an error about that file. */
function readError(error: unknown, source: string, format: string): ConvScopeError {
  if (error instanceof ConvScopeError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new ConvScopeError('damaged', `${source} cannot be read as ${format}: ${reason}.`, {
    remedy: 'Copy, download or export the file again.',
    details: error instanceof Error ? error.stack : undefined,
    cause: error,
  })
}

function cancelled(cause: unknown): ConvScopeError {
  return new ConvScopeError('cancelled', 'The import was cancelled.', { cause })
}
