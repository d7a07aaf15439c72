/** Things to do that are done otherwise in the window than on the command line. Texts name them as `{{name}}`, and each door says its own. */

export const ACTIONS = {
  'change-layers': {
    window: 'Export the network for ConvScope, change the layer in its network.json, and import that.',
    command: 'Export it with "convscope model export NAME", change the layer in its network.json, and import that.',
  },
  'change-preprocessing': {
    window: 'Change the preprocessing on the page of the network.',
    command: 'Change the preprocessing with "convscope model change NAME --preprocessing FILE".',
  },
  'choose-engine': {
    window: 'Restart the session, or choose another engine in the settings.',
    command: 'Try again, or choose another engine with --engine.',
  },
  'examine-network': {
    window: 'Let the model doctor on the page of the network look at it.',
    command: 'Let "convscope model doctor NAME" look at it.',
  },
  'examine-project': {
    window: 'Look at the health of the project in the settings.',
    command: 'Run "convscope doctor --full".',
  },
  'install-cuda-engine': {
    window: 'It is installed on the command line, as one of the engines.',
    command: 'Run "convscope engine install --cuda".',
  },
  'install-engine': {
    window: 'Install the native engine in the settings.',
    command: 'Run "convscope engine install".',
  },
  'list-runs': { window: 'Look for it in the tab Experiments.', command: 'See "convscope runs list".' },
  'name-architecture': {
    window:
      'Choose the architecture they belong to beside the files: a known one, a network of the library, or a file.',
    command:
      'Name the architecture they belong to with --architecture: a known one, a network of the library, or a file.',
  },
  'name-classes': {
    window: 'Load a list of class names on the page of the network: one for each output, in their order.',
    command: 'Name the classes with "convscope model change NAME --classes FILE": one for each output, in their order.',
  },
  reconnect: {
    window: 'Start ConvScope again, or open the address that it printed.',
    command:
      'The process that had the project open has ended. A run that was begun through it goes on when the project is opened again.',
  },
  'reinstall-engine': {
    window: 'Choose another engine in the settings, or install this one again on the command line.',
    command:
      'Remove it with "convscope engine remove NAME" and run "convscope engine install", or choose another one with --engine.',
  },
  'remove-own-entry': {
    window: 'Remove yours in the library; the other is there at the next start.',
    command:
      'Remove yours with "convscope model remove NAME" or "convscope data remove NAME"; the other is there at the next start.',
  },
  'take-over': {
    window: 'Take that preprocessing over on the page of the network.',
    command: 'Take that preprocessing over with "convscope model change NAME --preprocessing FILE".',
  },
} as const satisfies Record<string, Record<Door, string>>

/** Where a text is read. */
export type Door = 'window' | 'command'
export type ActionName = keyof typeof ACTIONS

/** For a remedy: the sentence of each door. */
export function action(name: ActionName): string {
  return `{{${name}}}`
}

/** The text as it is read at a door. What is no name of an action stays as it is. */
export function spoken(text: string, door: Door): string {
  return text.replaceAll(/\{\{([a-z-]+)\}\}/g, (whole, name: string) =>
    Object.hasOwn(ACTIONS, name) ? ACTIONS[name as ActionName][door] : whole,
  )
}
