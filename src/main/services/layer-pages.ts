/** Shapes and geometry of networks' layers, which a worker computes. */
import type { NetworkPage, NetworkRecord } from '../../shared/network/page.ts'
import type { Supervisor } from '../sessions/supervisor.ts'

/** Asks once for each network: what was computed of a hash stays true. */
export function createLayerPages(
  supervisor: Pick<Supervisor, 'call'>,
): (network: NetworkRecord) => Promise<NetworkPage['layers']> {
  const pages = new Map<string, NetworkPage['layers']>()
  return async (network) => {
    const known = pages.get(network.hash)
    if (known) return known
    const library = { networks: { [network.name]: network }, datasets: {} }
    const { result } = await supervisor.call('network-page', { network: network.name }, library)
    pages.set(network.hash, result)
    return result
  }
}
