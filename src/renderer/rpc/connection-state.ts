import { readonly, ref } from 'vue'
import type { Ref } from 'vue'
import type { ConnectionState, Transport } from '../../shared/rpc/connection.ts'

export type { ConnectionState }

const state = ref<ConnectionState>('connecting')

/** For the status bar: whether this page can reach the program. */
export const connectionState: Readonly<Ref<ConnectionState>> = readonly(state)

export function followConnection(transport: Pick<Transport, 'state' | 'onState'>): void {
  state.value = transport.state
  transport.onState((next) => {
    state.value = next
  })
}
