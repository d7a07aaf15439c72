import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Paths below the scratch folder of files that are only half written or unpacked on the way. A session that ends meanwhile takes
 * its folder away while this looks: what is gone is no file any more.
 */
export async function scratchFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const found = await Promise.all(
    entries.map((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return scratchFiles(path)
      return /\.(part|unpacked)$/.test(entry.name) ? [path] : []
    }),
  )
  return found.flat()
}
