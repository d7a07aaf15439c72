/** Data sets from outside: recognised, read, and written as the artifacts of a record. Nothing is kept where it fails. */
import { ConvScopeError } from '../../../shared/errors.ts'
import type { WorkerMethodParams, WorkerMethodResult } from '../../../shared/wire/protocol.ts'
import { openSourceFile } from '../../files/source-file.ts'
import type { FoundDataset } from './dataset-source.ts'
import type { ImportContext } from './dataset-output.ts'
import { openTree, type OpenTree } from './file-tree.ts'
import { findDataset, requireAllUsed } from './find-dataset.ts'
import { numbered, readClassNames, readLabels, type TextFile } from './label-files.ts'
import { storePictures } from './store-pictures.ts'
import { storePixels } from './store-pixels.ts'

/** Of a file with labels or class names. */
const MAXIMUM_TEXT_BYTES = 256 * 2 ** 20

/**
 * The method 'dataset-import', with the artifacts of the splits as outputs.
 * @throws ConvScopeError that names file, place and remedy; 'cancelled'
 */
export async function importDataset(
  { sources, inPlace, labels, classes }: WorkerMethodParams<'dataset-import'>,
  context: ImportContext,
): Promise<WorkerMethodResult<'dataset-import'>> {
  const names = topNames(sources)
  const given = classes && readClassNames(readText(classes))
  const table = labels && readLabels(readText(labels), given)
  const tree = await openTree(sources, {
    scratchFolder: context.scratchFolder,
    progress: (...step) => context.progress(...step),
  })
  try {
    const found = findDataset(tree, { labels: table, classes: given })
    if (names.length > 1) requireAllUsed(names, found, tree)
    requirePossible(found, tree, { inPlace, hasLabels: labels !== undefined })
    const stored =
      found.kind === 'pixels' ? await storePixels(found, context) : await storePictures(found, { inPlace }, context)
    const { format, shape, splits, refused } = stored
    return {
      format,
      shape,
      classes: classNames(found, given, stored.largestLabel),
      splits,
      location: inPlace ? tree.folder : undefined,
      origin: { format: found.format, files: names, refused: refused.count },
      refused: refused.listed,
    }
  } finally {
    await tree.close()
  }
}

/** Of files in one folder, the folder. */
function topNames(sources: readonly { readonly name: string }[]): string[] {
  return [...new Set(sources.map(({ name }) => name.split('/')[0] ?? name))]
}

function requirePossible(
  found: FoundDataset,
  { folder, title }: OpenTree,
  { inPlace, hasLabels }: { inPlace: boolean; hasLabels: boolean },
): void {
  if (inPlace && (found.kind !== 'pictures' || folder === undefined)) {
    throw new ConvScopeError('unsupported', `${title} cannot be left in place: it is no folder of pictures`, {
      remedy: 'Import it as a copy.',
    })
  }
  if (hasLabels && found.kind === 'pixels') {
    throw new ConvScopeError('invalid-input', `${title} brings its own labels (${found.format})`, {
      remedy: 'Leave the file of labels out.',
    })
  }
}

/** @throws ConvScopeError 'invalid-input' where there are fewer names than labels */
function classNames(found: FoundDataset, given: readonly string[] | undefined, largestLabel: number): string[] {
  if (!given || found.kind === 'pictures') {
    const own = found.classes ?? []
    return largestLabel < own.length ? [...own] : numbered([largestLabel])
  }
  if (largestLabel < given.length) return [...given]
  throw new ConvScopeError('invalid-input', `There are ${given.length} class names, and labels up to ${largestLabel}`, {
    remedy: `Give ${largestLabel + 1} names, one a line.`,
  })
}

function readText({ name, path }: { name: string; path: string }): TextFile {
  const file = openSourceFile(path, name)
  try {
    if (file.size > MAXIMUM_TEXT_BYTES) {
      throw new ConvScopeError('too-large', `${name} has ${file.size} bytes; ${MAXIMUM_TEXT_BYTES} can be read`)
    }
    return { name, text: new TextDecoder().decode(file.read(0, file.size)) }
  } finally {
    file.close()
  }
}
