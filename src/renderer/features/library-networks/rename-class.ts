import type { NetworkRecord } from '../../../shared/network/page.ts'
import { reportOf } from '../../lib/report.ts'
import { useClient } from '../../rpc/use-client.ts'
import { showError, showMessage } from '../../ui/toasts.ts'

/**
 * Changes the name of one class of a network, with Undo.
 * @param outputs how many names there are where the network has none yet: those are its numbers
 * @param changed told after a change was saved
 */
export function useRenameClass(
  network: () => NetworkRecord,
  outputs: () => number,
  changed: () => void,
): (index: number, name: string) => Promise<void> {
  const client = useClient()
  const save = async (classes: readonly string[], say: () => void): Promise<void> => {
    try {
      await client.networks.change({ name: network().name, classes: [...classes] })
      say()
      changed()
    } catch (error) {
      showError(reportOf(error))
    }
  }
  return async (index, name) => {
    const before = network().spec.classes
    const names = before.length > 0 ? before : Array.from({ length: outputs() }, (_, number) => String(number))
    const undo = (): void => void save(before, () => showMessage(`Class ${index} has its former name again`))
    await save(names.with(index, name), () =>
      showMessage(`Class ${index} was renamed to “${name}”`, { label: 'Undo', run: undo }),
    )
  }
}
