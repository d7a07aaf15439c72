import { mount } from '@vue/test-utils'
import { beforeEach, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import DataList from './data-list.vue'

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(440)
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

const items = Array.from({ length: 10_000 }, (_, id) => ({ id: String(id) }))
const list = (selected?: number) =>
  mount(DataList<{ id: string }>, {
    props: { name: 'Runs', items, rowHeight: 44, rowKey: (item: { id: string }) => item.id, selected },
    slots: { default: ({ item }: { item: { id: string } }) => `Run ${item.id}` },
  })

it('has elements only for the rows in view', async () => {
  const view = list()
  await nextTick()
  const rows = view.findAll('[role="option"]')
  expect(rows.length).toBeLessThan(20)
  expect([rows[0]?.text(), rows[0]?.attributes('aria-setsize')]).toEqual(['Run 0', '10000'])
  view.element.scrollTop = 44 * 5000
  await view.trigger('scroll')
  expect(view.findAll('[role="option"]').some((row) => row.text() === 'Run 5000')).toBe(true)
  expect(view.emitted('range')?.at(-1)).toEqual([4996, 5014])
})

it('moves the choice by keys and opens with Enter', async () => {
  const view = list(3)
  await view.trigger('keydown', { key: 'ArrowDown' })
  await view.trigger('keydown', { key: 'End' })
  await view.trigger('keydown', { key: 'Enter' })
  expect(view.emitted('select')).toEqual([[4], [9999]])
  expect(view.emitted('open')).toEqual([[3]])
})
