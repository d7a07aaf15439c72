import { oc } from '@orpc/contract'
import * as z from 'zod'
import { NetworkPage, NetworkRecord } from '../network/page.ts'
import { Bytes, LibraryName } from '../values.ts'
import { failures } from './failures.ts'

export const networks = {
  list: oc.errors(failures).output(z.array(NetworkRecord.omit({ spec: true }))),
  /** Layers with shapes, parameters and receptive fields. */
  page: oc
    .errors(failures)
    .input(z.object({ name: LibraryName }))
    .output(NetworkPage),
  /** Weights of one layer as an artifact (`.npy`); kernels as in `NetworkSpec`. */
  weights: oc
    .errors(failures)
    .input(z.object({ name: LibraryName, layer: LibraryName }))
    .output(z.array(z.object({ parameter: z.string(), shape: z.array(z.number()), values: Bytes }))),
  remove: oc
    .errors(failures)
    .input(z.object({ name: LibraryName }))
    .output(z.void()),
}
