/** Recognises what an import was given: by names and contents, the special before the general. */
import { ConvScopeError } from '../../../shared/errors.ts'
import { describeContents } from '../../files/file-kind.ts'
import { findArrays } from './arrays.ts'
import { findCifarBinary } from './cifar-binary.ts'
import { findCifarPython } from './cifar-python.ts'
import type { FileTree, FoundDataset } from './dataset-source.ts'
import { findIdx } from './idx-files.ts'
import { findPictureFolders, type GivenLabels } from './picture-folders.ts'

const KNOWN =
  'Choose a folder of pictures (one folder a class), MNIST files (IDX), CIFAR-10 or CIFAR-100 (binary or Python), an .npz file, ' +
  'or an archive (.zip, .tar, .tar.gz) of these.'

/**
 * @param given labels and classes of pictures, where the user brought files with them
 * @throws ConvScopeError 'unsupported' that tells what was seen instead; 'damaged' for files that are nearly right
 */
export function findDataset(tree: FileTree, given: GivenLabels = {}): FoundDataset {
  const empty = tree.files.find(({ size }) => size === 0)
  if (tree.files.length === 1 && empty) {
    throw new ConvScopeError('damaged', `${empty.path} is empty`, { remedy: 'Copy or download the file again.' })
  }
  const found =
    findPictureFolders(tree, given) ??
    findArrays(tree) ??
    findCifarPython(tree) ??
    findCifarBinary(tree) ??
    findIdx(tree)
  if (found) return found
  throw new ConvScopeError('unsupported', `There is no data set in ${tree.title}: ${seen(tree)}`, { remedy: KNOWN })
}

function seen({ files }: FileTree): string {
  if (files.length === 0) return 'it is empty'
  const told = files.slice(0, 3).map((file) => {
    const source = file.open()
    try {
      return `${file.path} is ${describeContents(source)}`
    } finally {
      source.close()
    }
  })
  return [...told, ...(files.length > 3 ? [`and ${files.length - 3} more files`] : [])].join('; ')
}
