import { expect, it } from 'vitest'
import { mapClasses } from './class-mapping.ts'

it.each<[string, string[], string[], number, ReturnType<typeof mapClasses>]>([
  ['the same names', ['cat', 'dog'], ['cat', 'dog'], 2, { outputs: [0, 1], by: 'order' }],
  ['another order', ['dog', 'cat'], ['cat', 'dog'], 2, { outputs: [1, 0], by: 'name' }],
  [
    'synonyms and identifiers',
    ['Tabby', 'space shuttle'],
    ['n02123045 tabby, tabby cat', 'n04266014 space_shuttle'],
    2,
    { outputs: [0, 1], by: 'order' },
  ],
  ['some of many', ['dog', 'unicorn'], ['cat', 'dog', 'cow'], 3, { outputs: [1, undefined], by: 'name' }],
  ['as many without names', ['0', '1'], [], 2, { outputs: [0, 1], by: 'order' }],
  ['as many with other names', ['zero', 'one'], ['0', '1'], 2, { outputs: [0, 1], by: 'order' }],
  ['nothing in common', ['cat', 'dog'], [], 1000, undefined],
])('matches classes: %s', (_title, classes, outputs, count, expected) => {
  expect(mapClasses(classes, { classes: outputs }, count)).toEqual(expected)
})
