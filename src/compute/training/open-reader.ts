/** The quickest way from the pictures of a split to a network's input. */
import type { NetworkSpec } from '../../shared/network/spec.ts'
import { isUniform, type DatasetSplitData, type UniformSplitData } from '../data/dataset-split.ts'
import { inputShape } from '../experiments/network-input.ts'
import type { BatchReader } from './batches.ts'
import { DirectReader } from './direct-reader.ts'
import { PipelineReader } from './pipeline-reader.ts'

export function openReader(data: DatasetSplitData, spec: NetworkSpec, batchSize: number): BatchReader {
  return isDirect(data, spec)
    ? new DirectReader(data, spec.preprocessing, batchSize)
    : new PipelineReader(data, spec, batchSize)
}

function isDirect(data: DatasetSplitData, spec: NetworkSpec): data is UniformSplitData {
  const { resize, crop, meanImage } = spec.preprocessing
  return isUniform(data) && !resize && !crop && !meanImage && data.shape.join() === inputShape(spec).join()
}
