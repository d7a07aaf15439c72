/** `convscope model export`. */
import { Option, type Command } from 'commander'
import { ExportFormat } from '../../../shared/network/page.ts'
import { writeFileAtomically } from '../../platform/atomic-file.ts'
import { withCommonOptions, type Act } from '../context.ts'
import { exportTarget } from '../export-target.ts'
import { followProgress } from '../follow-progress.ts'
import { EXIT } from '../follow-run.ts'
import type { Register } from '../program.ts'
import { byteText } from '../terminal.ts'

export function addModelExport(model: Command, register: Register): void {
  const command = withCommonOptions(model.command('export'))
    .summary('write a network into a file')
    .description(
      'Writes a network into a file: a .zip that imports as it is, ONNX, or the weights alone as .safetensors.',
    )
    .argument('<name>')
    .addOption(new Option('--format <format>', 'what is written').choices(ExportFormat.options).default('convscope'))
    .option('--out <path>', 'the file, or the folder for it (default: named after the network, here)')
    .option('--force', 'replace a file that is there')
  register(command, ['name'], exportNetwork)
}

/** What a format cannot hold for everybody is said, so that nobody relies on it. */
const NOT_IN_FILE: Partial<Record<ExportFormat, string[]>> = {
  onnx: [
    'Preprocessing and class names are in the metadata of the file, which only ConvScope reads by itself: tell them to who uses it elsewhere.',
  ],
  safetensors: ['The file holds the weights alone: layers, preprocessing and class names are in the form "convscope".'],
}

interface ExportOptions {
  readonly name: string
  readonly format: ExportFormat
  readonly out?: string
  readonly force?: boolean
}

const exportNetwork: Act<ExportOptions> = (context, { name, format, out = '.', force = false }) =>
  context.withProject(async (access) => {
    const stream = access.services.networks.export({ name, format }, { signal: context.interruption })
    const { sha256, fileName } = await followProgress(stream, `Exporting ${name}`, context.terminal)
    const file = await exportTarget(out, fileName, force)
    const bytes = await access.artifact(sha256)
    await writeFileAtomically(file, bytes)
    context.terminal.answer({ name, format, file, bytes: bytes.length, sha256 }, () =>
      [`${file}, ${byteText(bytes.length)}`, ...(NOT_IN_FILE[format] ?? [])].join('\n'),
    )
    return EXIT.done
  })
