import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'

/** SHA-256 of a file as lower-case hexadecimal; `onBytes` hears how many bytes have been read so far. */
export async function hashFile(path, { onBytes, signal } = {}) {
  const hash = createHash('sha256')
  let bytes = 0
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    async (chunks) => {
      for await (const chunk of chunks) {
        hash.update(chunk)
        bytes += chunk.length
        onBytes?.(bytes)
      }
    },
    { signal },
  )
  return hash.digest('hex')
}

function filesBelow(path, keep) {
  if (!statSync(path).isDirectory()) return keep(path) ? [path] : []
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name), keep))
}

/**
 * One SHA-256 over names and contents of files and folders; what does not exist counts as absent.
 * @param {string} root names are taken relative to it
 * @param {string[]} paths relative to root
 * @param {(path: string) => boolean} [keep]
 */
export function hashTree(root, paths, keep = () => true) {
  const hash = createHash('sha256')
  for (const path of paths.map((name) => join(root, name)).filter((path) => existsSync(path))) {
    for (const file of filesBelow(path, keep)) {
      const content = readFileSync(file)
      hash.update(`${relative(root, file).split(sep).join('/')}\0${content.length}\0`).update(content)
    }
  }
  return hash.digest('hex')
}
