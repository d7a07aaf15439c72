import { expect, it } from 'vitest'
import { readDisplay } from './display.ts'

const remembering = (text: string | null) => readDisplay({ getItem: () => text })

it('reads how pictures were shown, and defaults for what is damaged', () => {
  const fallback = { map: 'grey', content: 'colour', gamma: 1, blurSigma: 1, magnification: 0 }
  expect(remembering(null)).toEqual(fallback)
  expect(remembering('no JSON')).toEqual(fallback)
  expect(remembering('7')).toEqual(fallback)
  expect(remembering(JSON.stringify({ magnification: 65, gamma: '1' }))).toEqual(fallback)
  expect(remembering(JSON.stringify({ magnification: 4, gamma: 0.5 }))).toEqual({
    ...fallback,
    magnification: 4,
    gamma: 0.5,
  })
})
