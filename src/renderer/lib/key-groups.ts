export interface KeyGroup {
  readonly name: string
  readonly entries: readonly { readonly title: string; readonly keys: readonly string[] }[]
}

/** Keys that belong to the control that has the focus, not to a command. */
const EVERYWHERE: KeyGroup = {
  name: 'In grids and lists',
  entries: [
    { title: 'Move among tiles, rows and layers', keys: ['←', '→', '↑', '↓'] },
    { title: 'First, last', keys: ['Home', 'End'] },
    { title: 'A screen further', keys: ['PgUp', 'PgDn'] },
    { title: 'Open', keys: ['Enter'] },
    { title: 'Magnify pictures, move them', keys: ['wheel', 'drag'] },
  ],
}

/** The commands that have keys, by group, and the keys that work everywhere. */
export function groupedKeys(commands: readonly { group: string; title: string; keys?: string }[]): KeyGroup[] {
  const groups = new Map<string, KeyGroup['entries'][number][]>()
  for (const { group, title, keys } of commands) {
    if (keys) groups.set(group, [...(groups.get(group) ?? []), { title, keys: keys.split(' ') }])
  }
  return [...[...groups].map(([name, entries]) => ({ name, entries })), EVERYWHERE]
}
