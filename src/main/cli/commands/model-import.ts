/** `convscope model import`. */
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { ConvScopeError } from '../../../shared/errors.ts'
import { suggestNetworkName } from '../../../shared/network/describe.ts'
import { NetworkSpec } from '../../../shared/network/spec.ts'
import { LibraryName } from '../../../shared/values.ts'
import { diskError, errorCodeOf } from '../../platform/disk-error.ts'
import { withCommonOptions, type Act } from '../context.ts'
import { findingLines } from '../finding-lines.ts'
import { followProgress } from '../follow-progress.ts'
import { EXIT } from '../follow-run.ts'
import { parseArgument } from '../parse-argument.ts'
import type { Register } from '../program.ts'

interface ImportOptions {
  readonly files: readonly string[]
  readonly name?: string
  readonly architecture?: string
}

export function addModelImport(model: Command, register: Register): void {
  const command = withCommonOptions(model.command('import'))
    .summary('import a network from its files')
    .description(
      'Imports a network from the files that make it up, or from a folder of them: Caffe (.caffemodel, .prototxt, mean), ' +
        'ONNX, Keras (.keras, .h5), TensorFlow.js (model.json), MatConvNet (.mat), PyTorch (.pth), .safetensors, .npz.',
    )
    .argument('<files...>')
    .option('--name <name>', 'its name in the library (default: made of the first file’s)')
    .option(
      '--architecture <name|file>',
      'for files of weights alone: one of "convscope model architectures", a network of the library, or a JSON file of layers',
    )
  register(command, ['files'], importModel)
}

const importModel: Act<ImportOptions> = async (context, { files, name: wanted, architecture }) => {
  const [first = ''] = files
  const name = parseArgument(LibraryName, wanted ?? suggestNetworkName(basename(first)), 'The name')
  const layers = architecture === undefined ? undefined : await architectureOf(architecture)
  return context.withProject(async ({ services }) => {
    const stream = services.networks.import(
      { name, files: files.map((file) => ({ path: resolve(file) })), architecture: layers },
      { signal: context.interruption },
    )
    const network = await followProgress(stream, `Importing ${name}`, context.terminal)
    context.terminal.answer(network, () =>
      [
        `Imported ${network.name}: ${network.title}, from ${network.origin?.format ?? 'files'}`,
        ...findingLines(network.findings ?? []),
        `See it with "convscope model show ${network.name}".`,
      ].join('\n'),
    )
    return EXIT.done
  })
}

/** A file's layers where there is such a file, else a name. @throws ConvScopeError 'invalid-input' or 'disk' */
async function architectureOf(text: string): Promise<NetworkSpec | string> {
  const contents = await readFile(text, 'utf8').catch((error: unknown) => {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw diskError(text, 'read', error)
  })
  if (contents === undefined) {
    const remedy = 'Give a name of "convscope model architectures", of "convscope model list", or a file that is there.'
    return parseArgument(LibraryName, text, 'The architecture', remedy)
  }
  let value: unknown
  try {
    value = JSON.parse(contents)
  } catch (cause) {
    throw new ConvScopeError('invalid-input', `${text} is not JSON`, {
      remedy: 'Give a JSON file with the layers of the network.',
      cause,
    })
  }
  return parseArgument(NetworkSpec, value, `${text}, as the layers of a network,`)
}
