/** The files that an import was given: a folder with what is below it, an archive with what is in it, or single files. */
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { ConvScopeError } from '../../../shared/errors.ts'
import { openSourceFile } from '../../files/source-file.ts'
import { isZip, openZip } from '../../files/zip-reader.ts'
import { staysBelow } from '../picture-index.ts'
import type { FileTree, TreeFile } from './dataset-source.ts'
import { isTar, openTar } from './tar-tree.ts'

/** A file or folder on this machine. */
export interface ImportSource {
  /** As the user knows it. */
  readonly name: string
  readonly path: string
}

export interface TreeOptions {
  /** Where archives that can only be read from their beginning are unpacked. */
  readonly scratchFolder: string
  /** Called often; throws where the import is no longer wanted. */
  readonly progress: (done: number, total: number, unit: string) => void
}

export type OpenTree = FileTree & { close(): Promise<void> }

const MAXIMUM_FILES = 1_000_000
const MAXIMUM_DEPTH = 12
/** What systems and archivers leave beside the files that people put there. */
const LEFT_BEHIND = /^(\.|__MACOSX$|Thumbs\.db$|desktop\.ini$)/i
const nothing = (): Promise<void> => Promise.resolve()

/**
 * @throws ConvScopeError 'not-found', 'damaged', 'too-large' or 'unsupported' that names the file or folder
 */
export async function openTree(sources: readonly ImportSource[], options: TreeOptions): Promise<OpenTree> {
  const [first] = sources
  if (!first) throw new ConvScopeError('invalid-input', 'There is no file to import')
  if (sources.length === 1) {
    if (await isFolder(first)) {
      const files = await walk(first.path, options)
      return { title: first.name, files, folder: first.path, close: nothing }
    }
    const archive = await openArchive(first, options)
    if (archive) return archive
  }
  const files: TreeFile[] = []
  for (const source of sources) {
    if (!(await isFolder(source))) {
      if (sources.length > 1) requireNoArchive(source, sources)
      files.push(await diskFile(source.path, source.name, source.name))
    } else
      for (const file of await walk(source.path, options)) files.push({ ...file, path: `${source.name}/${file.path}` })
  }
  const title = sources.length === 1 ? first.name : `${first.name} and ${sources.length - 1} more`
  return { title, files, folder: undefined, close: nothing }
}

/** @throws ConvScopeError 'invalid-input': an archive beside other files would be left out */
function requireNoArchive(source: ImportSource, sources: readonly ImportSource[]): void {
  const file = openSourceFile(source.path, source.name)
  try {
    if (!isZip(file) && !isTar(file)) return
  } finally {
    file.close()
  }
  const others = sources.filter((other) => other !== source).map(({ name }) => name)
  throw new ConvScopeError('invalid-input', `${source.name} is an archive, and ${others.join(', ')} came with it`, {
    remedy: 'Import one data set at a time: an archive alone, or files that belong together.',
  })
}

async function openArchive(source: ImportSource, options: TreeOptions): Promise<OpenTree | undefined> {
  const file = openSourceFile(source.path, source.name)
  let isTaken = false
  try {
    if (isZip(file)) {
      const zip = openZip(file)
      const files = [...zip.entries.values()]
        .filter(({ name }) => isWanted(name))
        .map(({ name, size }) => ({ path: name, size, open: () => zip.open(name) }))
      isTaken = true
      return { title: source.name, files, folder: undefined, close: async () => file.close() }
    }
    return isTar(file) ? await openTar(file, source, options) : undefined
  } finally {
    if (!isTaken) file.close()
  }
}

/** Whether an entry of an archive is a file that somebody put there on purpose. */
export function isWanted(path: string): boolean {
  return staysBelow(path) && !path.split('/').some((part) => LEFT_BEHIND.test(part))
}

async function walk(folder: string, { progress }: TreeOptions): Promise<TreeFile[]> {
  const files: TreeFile[] = []
  const visit = async (path: string, below: string, depth: number): Promise<void> => {
    const names = (await readdir(path).catch((error: unknown) => Promise.reject(diskError(path, error))))
      .filter((name) => !LEFT_BEHIND.test(name))
      .sort()
    const found = await Promise.all(names.map((name) => stat(join(path, name)).catch(() => undefined)))
    for (const [index, name] of names.entries()) {
      const entry = found[index]
      const inside = below === '' ? name : `${below}/${name}`
      if (entry?.isDirectory()) {
        if (depth >= MAXIMUM_DEPTH) throw tooMuch(folder, `folders deeper than ${MAXIMUM_DEPTH}`)
        await visit(join(path, name), inside, depth + 1)
      } else if (entry?.isFile()) {
        if (files.length >= MAXIMUM_FILES) throw tooMuch(folder, `more than ${MAXIMUM_FILES} files`)
        const place = join(path, name)
        files.push({ path: inside, size: entry.size, open: () => openSourceFile(place, inside) })
      }
    }
    progress(0, 1, 'pictures')
  }
  await visit(folder, '', 0)
  return files
}

async function diskFile(place: string, name: string, path: string): Promise<TreeFile> {
  const { size } = await stat(place).catch((error: unknown) => Promise.reject(diskError(place, error)))
  return { path, size, open: () => openSourceFile(place, name) }
}

async function isFolder({ path }: ImportSource): Promise<boolean> {
  const entry = await stat(path).catch((error: unknown) => Promise.reject(diskError(path, error)))
  if (entry.isDirectory()) return true
  if (entry.isFile()) return false
  throw new ConvScopeError('invalid-input', `${basename(path)} is neither a file nor a folder`, {
    remedy: 'Choose plain files, or a folder.',
  })
}

function tooMuch(folder: string, what: string): ConvScopeError {
  return new ConvScopeError('too-large', `${basename(folder)} has ${what}`, { remedy: 'Choose a smaller folder.' })
}

function diskError(path: string, cause: unknown): ConvScopeError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const isGone = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
  return isGone
    ? new ConvScopeError('not-found', `There is no file or folder "${path}"`, { remedy: 'Check its name and place.' })
    : new ConvScopeError('disk', `${path} cannot be read: ${reason}`, { cause })
}
