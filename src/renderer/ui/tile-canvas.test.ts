import { mount } from '@vue/test-utils'
import { beforeEach, expect, it, vi } from 'vitest'
import TileCanvas from './tile-canvas.vue'

/** happy-dom lays nothing out: the grid is told that it is 100 × 70 pixels large, which holds 3 columns. */
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(100)
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(70)
  vi.stubGlobal(
    'ResizeObserver',
    class {
      #changed: () => void
      constructor(changed: () => void) {
        this.#changed = changed
      }
      observe(): void {
        this.#changed()
      }
      disconnect(): void {
        this.#changed = () => undefined
      }
    },
  )
})

const props = {
  name: 'Channels',
  count: 10,
  tileWidth: 28,
  tileHeight: 28,
  label: (i: number) => `Channel ${i}`,
  draw: vi.fn<() => void>(),
}

it('is a list box that names the chosen tile', () => {
  const grid = mount(TileCanvas, { props: { ...props, selected: 4 } })
  expect(grid.attributes()).toMatchObject({ role: 'listbox', 'aria-label': 'Channels', tabindex: '0' })
  const option = grid.get('[role="option"]')
  expect(grid.attributes('aria-activedescendant')).toBe(option.attributes('id'))
  expect([option.text(), option.attributes('aria-posinset'), option.attributes('aria-setsize')]).toEqual([
    'Channel 4',
    '5',
    '10',
  ])
})

it.each([
  ['ArrowRight', 4, [5]],
  ['ArrowDown', 4, [7]],
  ['ArrowUp', 4, [1]],
  ['Home', 4, [0]],
  ['End', 4, [9]],
  ['ArrowRight', 9, undefined],
  ['x', 4, undefined],
])('%s from %i selects %o', async (key, selected, expected) => {
  const grid = mount(TileCanvas, { props: { ...props, selected } })
  await grid.trigger('keydown', { key })
  expect(grid.emitted('select')?.[0]).toEqual(expected)
})

it('leaves combinations with Ctrl to the window and opens with Enter', async () => {
  const grid = mount(TileCanvas, { props: { ...props, selected: 4 } })
  await grid.trigger('keydown', { key: 'ArrowRight', ctrlKey: true })
  expect(grid.emitted('select')).toBeUndefined()
  await grid.trigger('keydown', { key: 'Enter' })
  expect(grid.emitted('open')).toEqual([[4]])
})

it('selects the tile under the pointer, and nothing in a gap', async () => {
  const grid = mount(TileCanvas, { props })
  await grid.trigger('click', { clientX: 40, clientY: 40 })
  expect(grid.emitted('select')).toEqual([[4]])
  await grid.trigger('click', { clientX: 40, clientY: 33 })
  expect(grid.emitted('select')).toHaveLength(1)
})
