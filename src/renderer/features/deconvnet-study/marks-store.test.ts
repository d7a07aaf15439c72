import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { usePartMarks } from './marks-store.ts'
import { readMarks } from './part-marks.ts'

const picture = { dataset: 'digits', split: 'test', index: 3 }

beforeEach(() => {
  sessionStorage.clear()
  setActivePinia(createPinia())
})
afterEach(() => sessionStorage.clear())

it('keeps marks when the page is loaded again, each network its own', () => {
  const store = usePartMarks()
  store.network = 'net'
  store.draw(picture, [1, 2, 3, 4])
  setActivePinia(createPinia())
  const again = usePartMarks()
  expect(again.marks).toEqual([])
  again.network = 'net'
  expect(again.marks).toEqual([{ ...picture, part: 'eyes', box: [1, 2, 3, 4] }])
  again.forget()
  expect(readMarks(sessionStorage.getItem('convscope.part-marks'))).toEqual({ net: [] })
})

it('begins anew where what was kept is damaged', () => {
  expect(readMarks('{"net":[{"part":1}]}')).toEqual({})
  expect(readMarks('no JSON')).toEqual({})
  expect(readMarks(null)).toEqual({})
})
