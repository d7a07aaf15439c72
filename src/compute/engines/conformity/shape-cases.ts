/** Changes of shape and reductions. */
import type { Tensor2D } from '@tensorflow/tfjs'
import { build, get, map, reduce } from './array64.ts'
import type { ConformityCase } from './conformity-case.ts'

const ROWS = [3, 0, 3, 1]

export const SHAPE_CASES: readonly ConformityCase[] = [
  {
    name: 'zero padding',
    shapes: [[2, 3, 4, 2]],
    run: (tf, x) =>
      tf.pad(x, [
        [0, 0],
        [1, 2],
        [0, 3],
        [0, 0],
      ]),
    reference: (x) => build([2, 6, 7, 2], ([n = 0, row = 0, column = 0, c = 0]) => get(x, n, row - 1, column, c)),
  },
  {
    name: 'slice',
    shapes: [[2, 5, 4, 3]],
    run: (tf, x) => tf.slice(x, [0, 1, 2, 0], [2, 3, 2, 3]),
    reference: (x) => build([2, 3, 2, 3], ([n = 0, row = 0, column = 0, c = 0]) => get(x, n, row + 1, column + 2, c)),
  },
  {
    name: 'roll by two slices and a concatenation',
    shapes: [[1, 6, 5, 3]],
    run: (tf, x) => tf.concat([tf.slice(x, [0, 4, 0, 0], [1, 2, 5, 3]), tf.slice(x, [0, 0, 0, 0], [1, 4, 5, 3])], 1),
    reference: (x) => build(x.shape, ([n = 0, row = 0, column = 0, c = 0]) => get(x, n, (row + 4) % 6, column, c)),
  },
  {
    name: 'concatenation of two tensors along channels',
    shapes: [
      [2, 3, 2],
      [2, 3, 4],
    ],
    run: (tf, a, b) => tf.concat([a, b], 2),
    reference: (a, b) =>
      build([2, 3, 6], ([n = 0, row = 0, c = 0]) => (c < 2 ? get(a, n, row, c) : get(b, n, row, c - 2))),
  },
  {
    name: 'transposition 0 3 1 2',
    shapes: [[2, 3, 4, 5]],
    run: (tf, x) => tf.transpose(x, [0, 3, 1, 2]),
    reference: (x) => build([2, 5, 3, 4], ([n = 0, c = 0, row = 0, column = 0]) => get(x, n, row, column, c)),
  },
  {
    name: 'reversal of rows and columns',
    shapes: [[3, 4, 2, 2]],
    run: (tf, x) => tf.reverse(x, [0, 1]),
    reference: (x) => build(x.shape, ([i = 0, j = 0, k = 0, l = 0]) => get(x, 2 - i, 3 - j, k, l)),
  },
  {
    name: 'gathering of rows, one of them twice',
    shapes: [[4, 6]],
    run: (tf, x) => tf.gather(x, tf.tensor1d(ROWS, 'int32')),
    reference: (x) => build([4, 6], ([row = 0, column = 0]) => get(x, ROWS[row] ?? 0, column)),
  },
  {
    name: 'selection by one-hot rows in float32',
    shapes: [[4, 6]],
    run: (tf, x: Tensor2D) => tf.matMul(tf.oneHot(tf.tensor1d(ROWS, 'int32'), 4, 1, 0, 'float32') as Tensor2D, x),
    reference: (x) => build([4, 6], ([row = 0, column = 0]) => get(x, ROWS[row] ?? 0, column)),
  },
  {
    name: 'repetition of rows and columns',
    shapes: [[2, 3]],
    run: (tf, x) => tf.tile(x, [2, 3]),
    reference: (x) => build([4, 9], ([row = 0, column = 0]) => get(x, row % 2, column % 3)),
  },
  {
    name: 'sum over two axes',
    shapes: [[3, 4, 5]],
    run: (tf, x) => tf.sum(x, [0, 2]),
    reference: (x) => {
      const sums = reduce(
        reduce(x, 0, 0, (a, b) => a + b),
        2,
        0,
        (a, b) => a + b,
      )
      return { shape: [4], data: sums.data }
    },
  },
  {
    name: 'mean over the last axis',
    shapes: [[6, 50]],
    run: (tf, x) => tf.mean(x, 1, true),
    reference: (x) =>
      map(
        reduce(x, 1, 0, (a, b) => a + b),
        (sum) => sum / 50,
      ),
  },
  {
    name: 'maximum of negative values over the last axis',
    shapes: [[6, 50]],
    values: (_, noise) => noise - 2,
    run: (tf, x) => tf.max(x, 1, true),
    reference: (x) => reduce(x, 1, -Infinity, Math.max),
  },
]
