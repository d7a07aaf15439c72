/** Keras: `.keras` of Keras 3, `.h5` of Keras 2 and 3 with layers and weights, `.h5` with weights alone. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { beginsWith } from '../../files/file-kind.ts'
import { Hdf5File, isHdf5 } from '../../files/hdf5.ts'
import type { SourceFile } from '../../files/source-file.ts'
import { isZip, openZip } from '../../files/zip-reader.ts'
import type { ImportedNetwork, Importer, ImportOptions } from '../imported-network.ts'
import { buildKerasNetwork } from './build.ts'
import { StoredWeights } from './stored-weights.ts'
import { readTopology } from './topology.ts'
import { importKerasWeights } from './weights-only.ts'

const CONFIG = 'config.json'
const WEIGHTS = 'model.weights.h5'
const MAX_CONFIG_BYTES = 64 * 2 ** 20

export const keras: Importer = {
  format: 'Keras',
  recognises: (files) =>
    files.length === 1 && files.every((file) => isArchive(file) || (isHdf5(file) && !isMatlab(file))),
  read: (files, options) => {
    const [file] = files
    if (file === undefined) throw new RangeError('a Keras file is needed')
    return isZip(file) ? readArchive(file, options) : readHdf5(file, options)
  },
}

/** MATLAB 7.3 writes HDF5 behind a text. */
function isMatlab(file: SourceFile): boolean {
  return beginsWith(file, [...new TextEncoder().encode('MATLAB')])
}

function isArchive(file: SourceFile): boolean {
  if (!isZip(file)) return false
  try {
    const { entries } = openZip(file)
    return entries.has(CONFIG) && entries.has(WEIGHTS)
  } catch (error) {
    if (error instanceof ConvScopeError) return /\.keras$/i.test(file.name)
    throw error
  }
}

async function readArchive(file: SourceFile, options: ImportOptions): Promise<ImportedNetwork> {
  const archive = openZip(file)
  const config = archive.open(CONFIG)
  if (config.size > MAX_CONFIG_BYTES) {
    throw new ConvScopeError('too-large', `The description of the layers in ${file.name} has ${config.size} bytes.`, {
      remedy: 'Choose the file of a network.',
    })
  }
  const topology = readTopology(parsed(new TextDecoder().decode(config.read(0, config.size)), file), file.name)
  const source = archive.open(WEIGHTS)
  const opened = await Hdf5File.open(source)
  try {
    const weights = new StoredWeights(source, opened).byLayer()
    return buildKerasNetwork({ source: file.name, topology, weights }, options)
  } finally {
    opened.close()
  }
}

async function readHdf5(file: SourceFile, options: ImportOptions): Promise<ImportedNetwork> {
  const opened = await Hdf5File.open(file)
  try {
    const stored = new StoredWeights(file, opened)
    const config = opened.text('/', 'model_config')
    if (config !== undefined) {
      const topology = readTopology(parsed(config, file), file.name)
      return buildKerasNetwork({ source: file.name, topology, weights: stored.byLayer() }, options)
    }
    if (stored.layerNames() !== undefined || stored.groups().length > 0)
      return importKerasWeights(stored, file.name, options)
    throw new ConvScopeError('unsupported', `${file.name} is an HDF5 file, but not one of Keras: it has no layers.`, {
      remedy: 'Save the model in Keras: model.save("model.keras").',
    })
  } finally {
    opened.close()
  }
}

function parsed(text: string, file: SourceFile): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConvScopeError('damaged', `The description of the layers in ${file.name} is not JSON (${reason}).`, {
      remedy: 'Copy, download or save the file again.',
    })
  }
}
