import { mount } from '@vue/test-utils'
import { expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import { allCommands, keysOf, runByKeys, searchCommands, useCommands, type Command } from './commands.ts'

const command = (title: string, keys?: string, run = (): void => undefined): Command => ({
  id: title,
  title,
  group: 'Test',
  keys,
  run,
})

function offering(commands: Command[]) {
  return mount(defineComponent({ setup: () => useCommands(() => commands), template: '<input aria-label="text">' }), {
    attachTo: document.body,
  })
}

it('offers commands while their component is there and runs them by their keys', () => {
  const run = vi.fn<() => void>()
  const page = offering([command('Next layer', ']', run)])
  expect(allCommands().map(({ title }) => title)).toEqual(['Next layer'])
  const event = new KeyboardEvent('keydown', { key: ']', cancelable: true })
  runByKeys(event)
  expect(run).toHaveBeenCalledOnce()
  expect(event.defaultPrevented).toBe(true)
  page.unmount()
  expect(allCommands()).toEqual([])
})

it('leaves letters to whoever is typing, but not combinations', () => {
  const letter = vi.fn<() => void>()
  const combination = vi.fn<() => void>()
  const page = offering([command('Help', '?', letter), command('Palette', 'Ctrl+K', combination)])
  window.addEventListener('keydown', runByKeys)
  page.get('input').element.dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }))
  page.get('input').element.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }))
  window.removeEventListener('keydown', runByKeys)
  page.unmount()
  expect(letter).not.toHaveBeenCalled()
  expect(combination).toHaveBeenCalledOnce()
})

it('names keys', () => {
  expect(keysOf({ key: 'k', ctrlKey: false, metaKey: true, altKey: false })).toBe('Ctrl+K')
  expect(keysOf({ key: ' ', ctrlKey: false, metaKey: false, altKey: true })).toBe('Alt+Space')
})

it('finds commands by all words, titles that begin with the search first', () => {
  const commands = [command('Go to layer conv1'), command('Layer below'), command('Theme: dark')]
  expect(searchCommands(commands, 'layer').map(({ title }) => title)).toEqual(['Layer below', 'Go to layer conv1'])
  expect(searchCommands(commands, 'test dark').map(({ title }) => title)).toEqual(['Theme: dark'])
  expect(searchCommands(commands, '')).toHaveLength(3)
})
