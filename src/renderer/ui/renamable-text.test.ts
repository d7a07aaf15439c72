import { mount } from '@vue/test-utils'
import { afterEach, expect, it } from 'vitest'
import RenamableText from './renamable-text.vue'

let view: ReturnType<typeof shown>
const shown = () =>
  mount(RenamableText, { props: { label: 'Name of class 3', text: 'three' }, attachTo: document.body })
afterEach(() => view.unmount())

it.each(['F2', 'Enter'])('takes another name by the keyboard: %s', async (key) => {
  view = shown()
  await view.get('button').trigger('keydown', { key })
  await view.get('input').setValue(' tree ')
  await view.get('input').trigger('keydown', { key: 'Enter' })
  expect(view.emitted('rename')).toEqual([['tree']])
  expect(document.activeElement).toBe(view.get('button').element)
})

it('takes another name by a double click, when something else is clicked', async () => {
  view = shown()
  await view.get('button').trigger('dblclick')
  await view.get('input').setValue('tree')
  await view.get('input').trigger('blur')
  expect(view.emitted('rename')).toEqual([['tree']])
})

it('leaves the name with Escape, and where nothing or the same was written', async () => {
  view = shown()
  for (const [text, key] of [
    ['tree', 'Escape'],
    ['', 'Enter'],
    ['three', 'Enter'],
  ] as const) {
    await view.get('button').trigger('keydown', { key: 'F2' })
    await view.get('input').setValue(text)
    await view.get('input').trigger('keydown', { key })
    expect(view.get('button').text()).toBe('three')
  }
  expect(view.emitted('rename')).toBeUndefined()
})
