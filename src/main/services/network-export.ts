/** A network as a file to take elsewhere. */
import { rm, writeFile } from 'node:fs/promises'
import type { ExportFormat } from '../../shared/network/page.ts'
import { diskError } from '../platform/disk-error.ts'
import { hashFile } from '../platform/hash.ts'
import type { Project } from '../project/project.ts'
import { zipArchive } from './zip.ts'

/**
 * Writes a network as an artifact to download.
 * @throws ConvScopeError 'not-found', 'damaged' or 'disk'
 */
export async function exportNetwork(
  { name, format }: { name: string; format: ExportFormat },
  project: Project,
): Promise<{ sha256: string; fileName: string }> {
  const network = project.networks.get(name)
  // The weights lie in the project as the file that is wanted.
  if (format === 'safetensors') return { sha256: network.weights, fileName: `${network.name}.safetensors` }
  const file = project.artifacts.scratchFile()
  try {
    await writeFile(
      file,
      zipArchive([
        {
          name: 'network.json',
          read: () => Promise.resolve(new TextEncoder().encode(`${JSON.stringify(network.spec, null, 2)}\n`)),
        },
        { name: 'weights.safetensors', read: () => project.artifacts.read(network.weights) },
      ]),
    )
  } catch (error) {
    await rm(file, { force: true })
    throw diskError(file, 'write', error)
  }
  const { sha256 } = await project.artifacts.adopt(file, (await hashFile(file)).sha256)
  // Nothing will name it: the next clean-up after a day removes it.
  project.artifacts.settle([sha256])
  return { sha256, fileName: `${network.name}.zip` }
}
