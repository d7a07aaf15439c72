import { expect, it } from 'vitest'
import { progressText, waitingText } from './progress-text.ts'

it('says how far a job is, and how long it takes unless it is paused', () => {
  const progress = { done: 1536, total: 119_808, unit: 'images', secondsLeft: 700 }
  expect(progressText(progress)).toBe('1\u202f536 / 119\u202f808 images, 12 min left')
  expect(progressText(progress, true)).toBe('1\u202f536 / 119\u202f808 images')
  expect(progressText({ done: 1, total: 2, unit: 'steps' })).toBe('1 / 2 steps')
})

it('tells waiting jobs from paused ones', () => {
  expect(waitingText(['running', 'done'])).toBe('')
  expect(waitingText(['queued', 'paused', 'queued'])).toBe('2 waiting, 1 paused')
})
