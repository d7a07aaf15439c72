import { oc } from '@orpc/contract'
import { LiveFrame, LiveFrameRequest } from '../live.ts'
import { failures } from './failures.ts'

export const live = {
  /** One frame through a network. Not a run and not a look: no document, no history, nothing on the disk. Ask for the next when it is there. */
  frame: oc.errors(failures).input(LiveFrameRequest).output(LiveFrame),
}
