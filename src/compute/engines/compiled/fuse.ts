/** Several operations of a recording become one of those that the addon adds to TensorFlow. Results differ in their last bits. */
import type { NodeBinding } from '../tensorflow-kernels.ts'
import { fuseConvolutions } from './fuse-convolutions.ts'
import { fuseElementwise } from './fuse-elementwise.ts'
import type { Recording } from './recording.ts'

export function fuse(recording: Recording, binding: Pick<NodeBinding, 'TF_ATTR_INT'>): Recording {
  return fuseElementwise(fuseConvolutions(recording, binding), binding)
}
