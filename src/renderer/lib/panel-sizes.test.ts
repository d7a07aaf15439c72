import { expect, it } from 'vitest'
import { clampPanel, DEFAULT_PANELS, readPanels, writePanels } from './panel-sizes.ts'

const storageWith = (text: string | null): Pick<Storage, 'getItem'> => ({ getItem: () => text })

it('remembers what was written', () => {
  let text: string | null = null
  const sizes = { left: 280, right: 400, leftOpen: false, rightOpen: true }
  writePanels({ setItem: (_, value) => void (text = value) }, sizes)
  expect(readPanels(storageWith(text))).toEqual(sizes)
})

it.each([[null], ['not JSON'], ['null'], ['{"left":"wide","right":null}']])('has defaults for %s', (text) => {
  expect(readPanels(storageWith(text))).toEqual(DEFAULT_PANELS)
})

it('keeps widths within bounds', () => {
  expect(clampPanel('left', 10)).toBe(240)
  expect(clampPanel('right', 9999)).toBe(560)
  expect(readPanels(storageWith('{"left":1e9}')).left).toBe(480)
})
