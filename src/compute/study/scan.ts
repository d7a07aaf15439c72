/** One pass over a data set that keeps the pictures with the largest activations of every channel of several layers. */
import type { ExperimentEvent } from '../experiments/experiment.ts'
import { layerNamed } from '../network/graph.ts'
import type { Network } from '../network/network.ts'
import { passOver, type PassContext } from './data-pass.ts'
import type { PictureSource } from './picture-source.ts'
import { TopTable } from './top-table.ts'

export interface ScanOptions {
  readonly layers: readonly string[]
  /** Pictures kept a channel. */
  readonly count: number
  readonly batchSize: number
  /** Milliseconds between checkpoints; 5000 when left out. */
  readonly checkpointMs?: number
  /** See `Pass`. */
  readonly onWholeBatches?: (next: number, tables: TopTables) => void
}

/** By layer. */
export type TopTables = ReadonlyMap<string, TopTable>

/**
 * Yields progress and checkpoints, and returns the tables. Memory does not depend on the number of pictures. Going on from a checkpoint gives
 * the same tables, bit for bit.
 * @throws ConvScopeError 'not-found' for a layer that is not there, 'damaged' for a checkpoint of another scan
 */
export function scan(
  network: Network,
  source: PictureSource,
  options: ScanOptions,
  context: PassContext,
): AsyncGenerator<ExperimentEvent, TopTables, void> {
  return passOver(
    network,
    source,
    {
      ...options,
      checkpointName: 'The checkpoint of the scan',
      stepName: 'largest activations',
      // The largest value anywhere in the picture.
      reduce: (tf, output) => (output.shape.length === 4 ? tf.max(tf.max(output, 1), 1) : output),
      table: (layer, saved) => {
        const channels = layerNamed(network.graph, layer).shape.at(-1) ?? 1
        return new TopTable(channels, options.count, source.classes.length, saved)
      },
      record: (table, maxima, start, count) => {
        for (let index = 0; index < count; index++) {
          const own = maxima.subarray(index * table.channels, (index + 1) * table.channels)
          table.offer(start + index, own, source.label(start + index))
        }
        return []
      },
    },
    context,
  )
}
