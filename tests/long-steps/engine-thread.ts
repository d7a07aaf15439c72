/** The product's engine thread with documents whose steps are long, and which tell the log what is under way. */
import '../../src/compute/worker/direct-log.ts'
import type { Tensor, Tensor2D, Variable } from '@tensorflow/tfjs'
import { disposeTensors, type CompiledStep, type Engine } from '../../src/compute/engines/index.ts'
import type { ExperimentContext, ExperimentEvent } from '../../src/compute/experiments/experiment.ts'
import { runEngineThread } from '../../src/compute/worker/engine-loop.ts'
import { productRegistry } from '../../src/compute/worker/registry.ts'

type Events = AsyncGenerator<ExperimentEvent, number, void>
type Call = CompiledStep<{ x: Tensor2D; one: Tensor }, Tensor>

const say = (line: string): boolean => process.stderr.write(`${line}\n`)

/** What the runs of a session share. */
let counting: { x: Tensor2D; one: Tensor; counter: Variable; step: Call } | undefined

/** A step of some hundred milliseconds (products of 1200×1200 matrices on one thread) that adds one to a variable when it ends. */
function countingStep({ tf, compile }: Engine): NonNullable<typeof counting> {
  const counter = tf.variable(tf.scalar(0))
  const body = ({ x, one }: { x: Tensor2D; one: Tensor }): Tensor => {
    let product = x
    for (let count = 0; count < 5; count++) product = tf.matMul(product, x)
    const finite = tf.cast(tf.isFinite(tf.sum(product)), 'float32')
    counter.assign(tf.add(counter, tf.mul(one, finite)))
    return finite
  }
  return { x: tf.fill([1200, 1200], 1 / 1200), one: tf.scalar(1), counter, step: compile(body, { name: 'counting' }) }
}

const documents: Record<string, (context: ExperimentContext) => Events> = {
  /** Three calls: the capture, the one that prepares the function, and one during which it may be cancelled. */
  async *call({ engine }) {
    counting ??= countingStep(engine)
    const { x, one, step, counter } = counting
    for (let call = 1; call <= 3; call++) {
      if (call === 3) say('the long call begins')
      disposeTensors(await step.run({ x, one }))
      yield { type: 'step', done: call, total: 3, unit: 'calls', values: {} }
    }
    return counter.dataSync()[0] ?? NaN
  },
  /** How many calls have ended, without waiting for one. */
  async *ended() {
    yield { type: 'turn' }
    return counting?.counter.dataSync()[0] ?? NaN
  },
  /** One call more, which waits for the one before it. */
  async *again() {
    if (counting === undefined) throw new Error('nothing was called yet')
    const { x, one, step, counter } = counting
    yield { type: 'turn' }
    disposeTensors(await step.run({ x, one }))
    return counter.dataSync()[0] ?? NaN
  },
  /** A step of many short kernels that is called for the first time, so that it runs operation by operation. */
  async *first({ engine: { tf, compile } }) {
    const x = tf.fill([500, 500], 1 / 500) as Tensor2D
    const step = compile(({ x: given }: { x: Tensor2D }) => {
      say('the first call begins')
      let product = given
      for (let count = 0; count < 300; count++) product = tf.matMul(product, given)
      say('the first call was not interrupted')
      return product
    })
    yield { type: 'turn' }
    try {
      disposeTensors(await step.run({ x }))
    } finally {
      step.dispose()
      x.dispose()
    }
    return 0
  },
}

runEngineThread({
  ...productRegistry(),
  prepare: (document) => {
    const { kind } = document as { kind: string }
    const run = documents[kind]
    if (run === undefined) throw new Error(`there is no document ${kind}`)
    return { seed: 1, run }
  },
})
