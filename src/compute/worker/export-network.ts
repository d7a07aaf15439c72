import { rename } from 'node:fs/promises'
import type { ExportFormat } from '../../shared/network/page.ts'
import { exportNetwork } from '../exporters/index.ts'
import { openSourceFile } from '../files/source-file.ts'
import type { RunContext } from './run-context.ts'

/**
 * The method 'network-export', with the output `network`: one file, of ConvScope's own form a `.zip`.
 * @throws ConvScopeError 'damaged' for weights that are not the network's, 'too-large', 'disk', 'cancelled'
 */
export async function exportNetworkFile(
  { network, format }: { readonly network: string; readonly format: ExportFormat },
  context: Pick<RunContext, 'record' | 'findArtifact' | 'progress' | 'outputFile'>,
): Promise<Record<string, never>> {
  const { spec, weights } = context.record(network)
  const file = openSourceFile(await context.findArtifact(weights), `the weights of ${network}`)
  const onProgress = (fraction: number): void => context.progress(100 * fraction, 100, '%')
  try {
    await context.outputFile({ name: 'network', kind: 'bytes' }, async (path) => {
      // The exporter makes a folder where the path does not end like an archive.
      const written = format === 'convscope' ? `${path}.zip` : path
      const output = await exportNetwork(format, { spec, weights: file }, written, onProgress)
      if (written !== path) await rename(written, path)
      return output
    })
    return {}
  } finally {
    file.close()
  }
}
