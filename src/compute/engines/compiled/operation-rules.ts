/** What is special about some kernels and operations where steps are captured. */

/** Kernels of tfjs-node that read an input only to check it; TensorFlow checks again. */
export const READS_TO_CHECK: ReadonlySet<string> = new Set(['GatherV2'])

/** The shapes of their results depend on values, and JavaScript would keep those of the first call. */
export const SHAPES_FROM_VALUES: ReadonlySet<string> = new Set([
  'Where',
  'Unique',
  'UniqueV2',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
  'ListDiff',
  'DynamicPartition',
])
