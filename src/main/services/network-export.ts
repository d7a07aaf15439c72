/** A network as a file to take elsewhere. */
import { ConvScopeError } from '../../shared/errors.ts'
import type { ExportFormat } from '../../shared/network/page.ts'
import type { Project } from '../project/project.ts'
import type { FileSession } from './file-session.ts'
import type { ReportProgress } from './progress-stream.ts'

const EXTENSIONS = { convscope: 'zip', safetensors: 'safetensors', onnx: 'onnx' } as const satisfies Record<
  ExportFormat,
  string
>

/**
 * Writes a network as an artifact to download.
 * @throws ConvScopeError 'not-found', 'damaged', 'too-large', 'disk' or 'cancelled'
 */
export async function exportNetwork(
  { name, format }: { name: string; format: ExportFormat },
  { project, session }: { readonly project: Project; readonly session: FileSession },
  report: ReportProgress,
  signal: AbortSignal,
): Promise<{ sha256: string; fileName: string }> {
  const network = project.networks.get(name)
  const fileName = `${network.name}.${EXTENSIONS[format]}`
  // The weights lie in the project as the file that is wanted.
  if (format === 'safetensors') return { sha256: network.weights, fileName }
  const { outputs } = await session.perform(
    'network-export',
    { network: network.name, format },
    {
      library: { networks: { [network.name]: network }, datasets: {} },
      sizeBytes: (await project.artifacts.size(network.weights)) ?? 0,
      onProgress: report,
      signal,
    },
  )
  // Nothing will name it: the next clean-up after a day removes it.
  project.artifacts.settle(outputs.map(({ sha256 }) => sha256))
  const [file] = outputs
  if (!file) throw new ConvScopeError('internal', `The export of ${network.name} ended without a file`)
  return { sha256: file.sha256, fileName }
}
