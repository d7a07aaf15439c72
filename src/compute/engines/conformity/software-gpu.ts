/** An emulated GPU for tests: SwiftShader with a Vulkan loader, from the archive of the npm package @sparticuz/chromium. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { requireModule } from '../tfjs.ts'

/** Writes the regular files of a tar archive into a folder. */
function unpackTar(archive: Buffer, folder: string): void {
  const field = (at: number, start: number, length: number): string =>
    archive
      .toString('latin1', at + start, at + start + length)
      .replace(/\0.*$/s, '')
      .trim()
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const name = field(at, 0, 100)
    const size = Number.parseInt(field(at, 124, 12) || '0', 8)
    const kind = field(at, 156, 1)
    if (kind === '0' || kind === '') {
      const file = join(folder, name.replaceAll('..', ''))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, archive.subarray(at + 512, at + 512 + size))
    }
    at += 512 + Math.ceil(size / 512) * 512
  }
}

/**
 * Environment variables under which a process finds an emulated GPU: what is set already, or SwiftShader unpacked into `folder`.
 * Undefined where there is neither. The loader of shared libraries reads them when a process starts.
 */
export function softwareGpuEnvironment(folder: string): Record<string, string> | undefined {
  if (process.env['VK_ICD_FILENAMES']) return {}
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  let archive: string
  try {
    archive = join(dirname(requireModule.resolve('@sparticuz/chromium')), '..', 'bin', 'swiftshader.tar.br')
  } catch {
    return undefined
  }
  if (!existsSync(archive)) return undefined
  unpackTar(brotliDecompressSync(readFileSync(archive)), folder)
  return {
    VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
    LD_LIBRARY_PATH: [folder, process.env['LD_LIBRARY_PATH'] ?? ''].filter((part) => part !== '').join(':'),
    XDG_RUNTIME_DIR: folder,
  }
}
