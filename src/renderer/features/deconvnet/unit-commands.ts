import type { Command } from '../../ui/commands.ts'
import type { useDeconvnet } from './store.ts'

/** What chooses another layer or channel, wherever units are looked at. */
export const unitCommands = (store: ReturnType<typeof useDeconvnet>, group: string): readonly Command[] => [
  { id: 'layer-down', group, title: 'Layer below', keys: '[', run: () => store.moveLayer(-1) },
  { id: 'layer-up', group, title: 'Layer above', keys: ']', run: () => store.moveLayer(1) },
  {
    id: 'channel-strongest',
    group,
    title: 'Strongest channel',
    keys: 'S',
    run: () => store.choose({ channel: null }),
  },
]
