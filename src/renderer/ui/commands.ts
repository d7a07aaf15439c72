import { onMounted, onUnmounted, shallowReactive } from 'vue'

/** Something the user can do: in the palette, and by its keys where it has some. */
export interface Command {
  readonly id: string
  readonly title: string
  readonly group: string
  /** Like `[`, `?`, `Ctrl+K`, `Alt+1`; several for the same command separated by a space. */
  readonly keys?: string
  readonly run: () => void
}

type Source = () => readonly Command[]
const sources = shallowReactive(new Set<Source>())

/** Every command that can be used at the moment. */
export const allCommands = (): Command[] => [...sources].flatMap((source) => source())

/** Offers commands for as long as the component is on the page. */
export function useCommands(source: Source): void {
  onMounted(() => void sources.add(source))
  onUnmounted(() => void sources.delete(source))
}

/** The name of a pressed combination, as in `Command.keys`. */
export function keysOf(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>): string {
  const key = event.key === ' ' ? 'Space' : event.key.length === 1 ? event.key.toUpperCase() : event.key
  return `${event.ctrlKey || event.metaKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${key}`
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.closest('input:not([type=range]), textarea, select, [contenteditable], [role="dialog"]') !== null

/** Runs the command of the pressed keys; plain letters and signs are left to whoever is typing. */
export function runByKeys(event: KeyboardEvent): void {
  if (event.defaultPrevented) return
  const pressed = keysOf(event)
  if (!pressed.includes('+') && isTyping(event.target)) return
  const command = allCommands().find(({ keys }) => keys?.split(' ').includes(pressed))
  if (!command) return
  event.preventDefault()
  command.run()
}

/** Commands whose title or group holds every word of the search, those that begin with it first. */
export function searchCommands(commands: readonly Command[], search: string): Command[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const text = (command: Command): string => `${command.group} ${command.title}`.toLowerCase()
  const rank = (command: Command): number => (command.title.toLowerCase().startsWith(words[0] ?? '') ? 0 : 1)
  return commands
    .filter((command) => words.every((word) => text(command).includes(word)))
    .sort((a, b) => rank(a) - rank(b))
}
