import { expect, it } from 'vitest'
import { fetchMistakes } from './fetch-mistakes.ts'

it('puts pictures from all over a split into one page, in their order', async () => {
  const mistakes = Array.from({ length: 19 }, (_, place) => ({
    index: 100 - 3 * place,
    label: place % 4,
    predicted: 5,
    confidence: 1 - place / 100,
  }))
  const asked: number[] = []
  const page = await fetchMistakes(mistakes, (index) => {
    asked.push(index)
    return Promise.resolve({
      total: 200,
      indices: [index],
      labels: [0],
      shape: [1, 2, 1],
      images: Uint8Array.of(index, index + 1),
    })
  })
  expect(asked).toEqual(mistakes.map(({ index }) => index))
  expect(page.indices).toEqual(asked)
  expect(page.labels.slice(0, 5)).toEqual([0, 1, 2, 3, 0])
  expect([...page.images]).toEqual(asked.flatMap((index) => [index, index + 1]))
  expect((await fetchMistakes([], () => Promise.reject(new Error('nothing to fetch')))).total).toBe(0)
})
