/** Errors of the file system in the words of the program. */
import { ConvScopeError } from '../../shared/errors.ts'

const REASONS: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ENOSPC: ['the disk is full', 'Free some space and try again.'],
  EDQUOT: ['your disk quota is used up', 'Free some space or ask for a larger quota, then try again.'],
  EROFS: ['the disk is read-only', 'Choose a folder on a disk that can be written.'],
  EACCES: ['you have no permission', 'Change the permissions of the folder or choose another one.'],
  EPERM: ['the system does not allow it', 'Change the permissions of the folder or choose another one.'],
  EISDIR: ['it is a folder', 'Choose a file.'],
  ENOTDIR: ['a part of its path is a file and no folder', 'Check its name and place.'],
  ENAMETOOLONG: ['its name is too long', 'Choose a shorter name.'],
  EMFILE: ['too many files are open', 'Close other programs or raise the limit of open files, then try again.'],
  ENFILE: ['too many files are open', 'Close other programs or raise the limit of open files, then try again.'],
  EIO: ['the disk reports an error', 'Check the disk, and copy the project to another one.'],
}

export function errorCodeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}

/**
 * The error to throw after `error` happened on `file`: 'disk' with reason and remedy for what the disk refuses,
 * 'not-found' for a missing file or folder, and whatever was thrown for everything else.
 */
export function diskError(file: string, action: 'read' | 'write', error: unknown): unknown {
  if (error instanceof ConvScopeError) return error
  const code = errorCodeOf(error)
  if (code === 'ENOENT' && action === 'write') {
    return new ConvScopeError(
      'not-found',
      `"${file}" cannot be written: there is no such folder, or it takes no files`,
      {
        remedy: 'Choose another folder, or make it first.',
        cause: error,
      },
    )
  }
  if (code === 'ENOENT') return new ConvScopeError('not-found', `There is no file "${file}"`, { cause: error })
  const known = code === undefined ? undefined : REASONS[code]
  if (!known) return error
  const [reason, remedy] = known
  const verb = action === 'write' ? 'be written' : 'be read'
  return new ConvScopeError('disk', `"${file}" cannot ${verb}: ${reason}`, { remedy, details: code, cause: error })
}

/** Whether an artifact is gone or has other contents than its name says: then others may still be read. */
export function isUnreadable(error: unknown): error is ConvScopeError {
  return error instanceof ConvScopeError && (error.code === 'damaged' || error.code === 'not-found')
}
