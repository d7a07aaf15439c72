/** Several operations of a recording become one of those that the addon adds to TensorFlow. Results differ in their last bits. */
import type { NodeBinding } from '../tensorflow-kernels.ts'
import type { FoldedTensors } from './folded-tensors.ts'
import { fuseConvolutions } from './fuse-convolutions.ts'
import { fuseElementwise } from './fuse-elementwise.ts'
import { fuseFewRows } from './fuse-few-rows.ts'
import type { Recording } from './recording.ts'

export function fuse(
  recording: Recording,
  binding: Pick<NodeBinding, 'TF_ATTR_INT'>,
  folded: FoldedTensors,
): Recording {
  return fuseElementwise(fuseConvolutions(fuseFewRows(recording, binding, folded), binding), binding)
}
