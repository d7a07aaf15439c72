/**
 * Content-addressed files: `artifacts/<ab>/<sha256>`. A file under its hash is whole and durable: it is written to the
 * scratch folder, synced, renamed, and its folder is synced. Built-in files of the program are read where they lie.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, readdir, readFile, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { action } from '../../shared/actions.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { Sha256 } from '../../shared/values.ts'
import {
  renameDurably,
  syncFile,
  syncFolder,
  writeBytes,
  writeDurably,
  type WriteBytes,
} from '../platform/atomic-file.ts'
import { diskError, errorCodeOf } from '../platform/disk-error.ts'
import { hashFile, sha256 as hashOf } from '../platform/hash.ts'
import { checkedStream } from './checked-stream.ts'

export interface StoredArtifact {
  readonly sha256: string
  readonly bytes: number
}

export class ArtifactStore {
  /** `<folder>/<ab>/<sha256>`. */
  readonly folder: string
  /** Where workers write what is to be adopted; on the same file system, emptied when the project is opened. */
  readonly scratchFolder: string
  readonly #builtIns = new Map<string, string>()
  /** How often this process stored a hash that no row names yet: not garbage. */
  readonly #fresh = new Map<string, number>()
  readonly #knownFolders = new Set<string>()
  readonly #write: WriteBytes

  constructor(projectFolder: string, options: { write?: WriteBytes } = {}) {
    this.folder = join(projectFolder, 'artifacts')
    this.scratchFolder = join(projectFolder, 'scratch')
    this.#write = options.write ?? writeBytes
  }

  /** Makes the folders and throws away what an interrupted program left half-written. */
  async prepare(): Promise<void> {
    try {
      await rm(this.scratchFolder, { recursive: true, force: true })
      await mkdir(this.scratchFolder, { recursive: true })
      await mkdir(this.folder, { recursive: true })
      await syncFolder(dirname(this.folder))
    } catch (error) {
      throw diskError(this.folder, 'write', error)
    }
  }

  /** A file that comes with the program, read-only, found under its hash like any artifact. */
  addBuiltIn(file: string, sha256: string): void {
    this.#builtIns.set(Sha256.parse(sha256), resolve(file))
  }

  /** Hash → path, for workers. */
  get builtInFiles(): ReadonlyMap<string, string> {
    return this.#builtIns
  }

  isBuiltIn(sha256: string): boolean {
    return this.#builtIns.has(sha256)
  }

  /** Where the bytes of an artifact are, or would be. @throws ConvScopeError 'invalid-input' for what is no hash */
  path(sha256: string): string {
    return this.#builtIns.get(sha256) ?? this.#ownPath(sha256)
  }

  /** Whether the file is there; its contents are not looked at. */
  async has(sha256: string): Promise<boolean> {
    return (await this.size(sha256)) !== undefined
  }

  /** Bytes of the file, or undefined where there is none. */
  async size(sha256: string): Promise<number | undefined> {
    const builtIn = this.#builtIns.get(sha256)
    const found = builtIn
      ? await statOrNothing(() => stat(builtIn))
      : await statOrNothing(() => lstat(this.#ownPath(sha256)))
    return found?.isFile() ? found.size : undefined
  }

  /** Stores bytes; on return they are durable. @throws ConvScopeError 'disk' */
  async put(bytes: Uint8Array): Promise<StoredArtifact> {
    const sha256 = hashOf(bytes)
    this.#markFresh(sha256)
    if ((await this.size(sha256)) === bytes.byteLength) return { sha256, bytes: bytes.byteLength }
    const temporary = this.scratchFile()
    await writeDurably(temporary, bytes, this.#write)
    await this.#settleFile(temporary, sha256)
    return { sha256, bytes: bytes.byteLength }
  }

  /**
   * Takes over a finished file of the scratch folder whose hash somebody else has computed; the hash is checked here.
   * @throws ConvScopeError 'damaged' where it differs (the file is removed), 'invalid-input' for a file elsewhere, 'disk'
   */
  async adopt(file: string, sha256: string): Promise<StoredArtifact> {
    const inside = relative(this.scratchFolder, resolve(file))
    if (inside === '' || inside.startsWith('..') || resolve(this.scratchFolder, inside) !== resolve(file)) {
      throw new ConvScopeError('invalid-input', `"${file}" is not in the scratch folder of the project`)
    }
    const found = await statOrNothing(() => lstat(file))
    if (!found?.isFile()) throw new ConvScopeError('not-found', `There is no file "${file}"`)
    const actual = await hashFile(file)
    if (actual.sha256 !== sha256) {
      await rm(file, { force: true })
      throw new ConvScopeError('damaged', `"${file}" has the hash ${actual.sha256}, not ${sha256} as announced`, {
        remedy: 'Run it again.',
      })
    }
    this.#markFresh(sha256)
    if ((await this.size(sha256)) === actual.bytes) {
      await rm(file, { force: true })
      return actual
    }
    await syncFile(file)
    await this.#settleFile(file, sha256)
    return actual
  }

  /** A name in the scratch folder that nobody uses. */
  scratchFile(): string {
    return join(this.scratchFolder, `${process.pid}-${randomBytes(9).toString('hex')}`)
  }

  /** The bytes, checked against the hash. @throws ConvScopeError 'not-found', 'damaged' or 'disk' */
  async read(sha256: string): Promise<Uint8Array> {
    const handle = await this.#openFile(sha256)
    let bytes: Uint8Array
    try {
      bytes = await readFile(handle)
    } catch (error) {
      throw diskError(this.path(sha256), 'read', error)
    } finally {
      await handle.close()
    }
    if (hashOf(bytes) !== sha256) throw damaged(sha256)
    return bytes
  }

  /**
   * Size and contents as a stream, which fails at its end where the hash differs. Destroy a stream that is not read to the end.
   * @throws ConvScopeError 'not-found' or 'disk'
   */
  async open(sha256: string): Promise<{ bytes: number; stream: Readable }> {
    const handle = await this.#openFile(sha256)
    const { size } = await handle.stat()
    return { bytes: size, stream: checkedStream(handle, sha256, () => damaged(sha256)) }
  }

  /** Rows name these now, or nobody wants them, once for each time they were stored; unless named, they are garbage then. */
  settle(hashes: Iterable<string>): void {
    for (const sha256 of hashes) {
      const count = (this.#fresh.get(sha256) ?? 0) - 1
      if (count > 0) this.#fresh.set(sha256, count)
      else this.#fresh.delete(sha256)
    }
  }

  /** Stored by this process and not named by any row yet. */
  isFresh(sha256: string): boolean {
    return this.#fresh.has(sha256)
  }

  /** Removes files that nothing refers to. Missing ones are no error, built-in ones stay. */
  async remove(hashes: Iterable<string>): Promise<void> {
    for (const sha256 of hashes) {
      if (this.#fresh.has(sha256)) continue
      await rm(this.#ownPath(sha256), { force: true })
    }
  }

  /** Every file under the folder: those named by a hash, and names that do not belong there. */
  async list(): Promise<{ artifacts: (StoredArtifact & { modifiedAt: number })[]; strangers: string[] }> {
    const artifacts: (StoredArtifact & { modifiedAt: number })[] = []
    const strangers: string[] = []
    for (const prefix of await readdir(this.folder, { withFileTypes: true })) {
      if (!prefix.isDirectory() || !/^[0-9a-f]{2}$/.test(prefix.name)) {
        strangers.push(prefix.name)
        continue
      }
      for (const name of await readdir(join(this.folder, prefix.name))) {
        const place = join(prefix.name, name)
        const found = await statOrNothing(() => lstat(join(this.folder, place)))
        if (!found) continue
        const belongs = found.isFile() && Sha256.safeParse(name).success && name.startsWith(prefix.name)
        if (belongs) artifacts.push({ sha256: name, bytes: found.size, modifiedAt: found.mtimeMs })
        else strangers.push(place)
      }
    }
    return { artifacts, strangers }
  }

  /** Compares what should be there with what is: sizes, and with `full` the hash of every byte. */
  async check(
    expected: Iterable<{ sha256: string; bytes?: number }>,
    { full = false }: { full?: boolean } = {},
  ): Promise<{ missing: string[]; damaged: string[] }> {
    const missing: string[] = []
    const damagedOnes: string[] = []
    for (const { sha256, bytes } of expected) {
      const size = await this.size(sha256)
      if (size === undefined) missing.push(sha256)
      else if (bytes !== undefined && size !== bytes) damagedOnes.push(sha256)
      else if (full && (await hashFile(this.path(sha256))).sha256 !== sha256) damagedOnes.push(sha256)
    }
    return { missing, damaged: damagedOnes }
  }

  #markFresh(sha256: string): void {
    this.#fresh.set(sha256, (this.#fresh.get(sha256) ?? 0) + 1)
  }

  #ownPath(sha256: string): string {
    if (!Sha256.safeParse(sha256).success) {
      throw new ConvScopeError('invalid-input', `"${sha256.slice(0, 80)}" is not the hash of an artifact`)
    }
    return join(this.folder, sha256.slice(0, 2), sha256)
  }

  async #settleFile(temporary: string, sha256: string): Promise<void> {
    const target = this.#ownPath(sha256)
    try {
      await this.#ensureFolder(dirname(target))
      await renameDurably(temporary, target)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  async #ensureFolder(folder: string): Promise<void> {
    if (this.#knownFolders.has(folder)) return
    try {
      await mkdir(folder, { recursive: true })
    } catch (error) {
      throw diskError(folder, 'write', error)
    }
    await syncFolder(this.folder)
    this.#knownFolders.add(folder)
  }

  async #openFile(sha256: string): Promise<FileHandle> {
    const file = this.path(sha256)
    // A project from outside must not make the program read other files through links, or wait for ever at a pipe.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
    try {
      const handle = await open(file, this.isBuiltIn(sha256) ? flags : flags | (constants.O_NOFOLLOW ?? 0))
      if ((await handle.stat()).isFile()) return handle
      await handle.close()
    } catch (error) {
      const code = errorCodeOf(error)
      if (code !== 'ENOENT' && code !== 'ELOOP') throw diskError(file, 'read', error)
    }
    throw new ConvScopeError('not-found', `The artifact ${sha256} is missing`, {
      remedy: `${action('examine-project')} Run the experiment again.`,
    })
  }
}

function damaged(sha256: string): ConvScopeError {
  return new ConvScopeError('damaged', `The artifact ${sha256} is damaged: its contents have another hash`, {
    remedy: `${action('examine-project')} Run the experiment again.`,
  })
}

async function statOrNothing<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    const code = errorCodeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
