/** `convscope data import`. */
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { suggestDatasetName } from '../../../shared/datasets.ts'
import { LibraryName } from '../../../shared/values.ts'
import { withCommonOptions, type Act } from '../context.ts'
import { followProgress } from '../follow-progress.ts'
import { EXIT } from '../follow-run.ts'
import { parseArgument } from '../parse-argument.ts'
import type { Register } from '../program.ts'

interface ImportOptions {
  readonly paths: readonly string[]
  readonly name?: string
  readonly title?: string
  readonly inPlace?: true
  readonly labels?: string
  readonly classes?: string
}

const LISTED = 10

export function addDataImport(data: Command, register: Register): void {
  const command = withCommonOptions(data.command('import'))
    .summary('import a data set from files, an archive or a folder')
    .description(
      'Imports a data set: a folder of pictures with one folder a class (also below train and test), a flat folder, MNIST files ' +
        '(IDX, also gzipped), CIFAR-10 or CIFAR-100 (binary or Python), .npz, or a .zip, .tar or .tar.gz of these.',
    )
    .argument('<paths...>')
    .option('--name <name>', 'its name in the library (default: made of the first path)')
    .option('--title <title>', 'what it is called on screen (default: its name)')
    .option('--in-place', 'leave the pictures of a folder where they are and keep their hashes')
    .option('--labels <file>', 'lines of a picture and its class, with a comma between')
    .option('--classes <file>', 'names of the classes, one a line, in the order of the labels')
  register(command, ['paths'], importData)
}

const importData: Act<ImportOptions> = async (context, { paths, name: wanted, title, inPlace, labels, classes }) => {
  const name = parseArgument(LibraryName, wanted ?? suggestDatasetName(basename(resolve(paths[0] ?? ''))), 'The name')
  const fileOf = (path: string): { path: string } => ({ path: resolve(path) })
  return context.withProject(async ({ services }) => {
    const stream = services.datasets.import(
      {
        files: paths.map(fileOf),
        name,
        title,
        inPlace: inPlace ?? false,
        labels: labels === undefined ? undefined : fileOf(labels),
        classes: classes === undefined ? undefined : fileOf(classes),
      },
      { signal: context.interruption },
    )
    const { record, refused } = await followProgress(stream, `Importing ${name}`, context.terminal)
    const left = record.origin?.refused ?? 0
    context.terminal.answer({ ...record, refusedFiles: refused }, () =>
      [
        `Imported ${record.name}: ${record.origin?.format ?? 'pictures'}, ${record.splits.map((split) => `${split.name} ${split.count}`).join(', ')}`,
        ...(left === 0 ? [] : [`${left} ${left === 1 ? 'file was' : 'files were'} left out:`]),
        ...refused.slice(0, LISTED).map((file) => `  ${file.name}: ${file.reason}`),
        ...(left > LISTED ? [`  … (--json lists the first ${refused.length})`] : []),
        `See it with "convscope data show ${record.name}".`,
      ].join('\n'),
    )
    return EXIT.done
  })
}
