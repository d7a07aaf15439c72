/** Tests that need TensorFlow's library. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Tensor } from '@tensorflow/tfjs'
import type { Engine, TensorTree } from '../../engine.ts'
import { defaultCacheFolder, holdsTensorflow, tensorflowFolder } from '../../folders.ts'
import { startNamed } from '../../start-named.ts'
import { tensorsOf } from '../../tensor-tree.ts'
import { usesOneDnn } from '../../tensorflow-convolutions.ts'

/** Whether a captured step has the kernels of the same step operation by operation: oneDNN puts its own in place of some in functions. */
export const SAME_KERNELS = !usesOneDnn()

/** Registers tests with the engine started; where the library is not installed, says so instead, but fails in CI. */
export function describeOnTensorflow(title: string, tests: (engine: () => Engine) => void): void {
  describe(title, () => {
    const missing = !holdsTensorflow(tensorflowFolder('cpu', undefined, defaultCacheFolder()))
    if (missing && process.env['CI'] === undefined) {
      const reason = "TensorFlow's library is not installed"
      process.stderr.write(`${title}: not tested, ${reason}\n`)
      test.skip(`is not tested: ${reason}`, () => undefined)
      return
    }
    let engine: Engine | undefined
    beforeAll(async () => {
      engine = await startNamed('tensorflow', { threads: 2 })
    })
    afterAll(async () => {
      await engine?.dispose()
    })
    tests(() => {
      if (engine === undefined) throw new Error('the engine did not start')
      return engine
    })
  })
}

export interface Difference {
  /** Largest difference relative to the largest expected value; NaN equals NaN. */
  readonly relative: number
  readonly identical: boolean
}

/** Compares shapes and data types (throws where they differ) and values. */
export function difference(got: TensorTree, expected: TensorTree): Difference {
  const left = tensorsOf(got)
  const right = tensorsOf(expected)
  if (left.length !== right.length) throw new Error(`${left.length} tensors, not ${right.length}`)
  const each = left.map((tensor, index) => tensorDifference(tensor, right[index] ?? tensor))
  return {
    relative: Math.max(0, ...each.map(({ relative }) => relative)),
    identical: each.every(({ identical }) => identical),
  }
}

function tensorDifference(got: Tensor, expected: Tensor): Difference {
  const describe = ({ dtype, shape }: Tensor): string => `${dtype}[${shape.join()}]`
  if (describe(got) !== describe(expected)) throw new Error(`${describe(got)}, not ${describe(expected)}`)
  const values = got.dataSync()
  const wanted = expected.dataSync()
  let worst = 0
  let scale = 0
  let identical = true
  for (let index = 0; index < wanted.length; index++) {
    const a = values[index] ?? NaN
    const b = wanted[index] ?? NaN
    if (Object.is(a, b)) {
      if (Number.isFinite(b)) scale = Math.max(scale, Math.abs(b))
      continue
    }
    identical = false
    if (a === b) continue
    worst = Math.max(worst, Math.abs(a - b))
    scale = Math.max(scale, Math.abs(b))
  }
  return { relative: Number.isNaN(worst) ? Infinity : worst / (scale || 1), identical }
}
