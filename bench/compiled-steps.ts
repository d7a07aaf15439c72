/**
 * Compiled steps against the same steps operation by operation, on TensorFlow on this processor, and against PyTorch.
 *
 *   node bench/compiled-steps.ts [--seconds N] [--threads N] [--out FILE] [work …]
 *
 * Operation by operation means tfjs-node's own kernels. PyTorch is what `CONVSCOPE_BENCH_PYTHON` names, else a `python3` with torch; the
 * faster of its two memory formats counts. The variants of one work take turns within one run and only one computes at a time, so that a busy
 * machine slows all of them. Prints a Markdown table of medians with the best call in brackets, the targets, and the load of the machine;
 * `--out` adds it to a file. Names of works may be parts of names.
 */
import { appendFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { eagerStep } from '../src/compute/engines/eager-step.ts'
import { disposeTensors, startEngine, type TensorTree } from '../src/compute/engines/index.ts'
import { withStockKernels } from '../src/compute/engines/stock-kernels.ts'
import { Peer, PEER_FORMATS } from './compiled-steps-peer.ts'
import { makeWork, WORKS, type Work } from './compiled-steps-works.ts'

/** Calls in a row, so that each variant works with its own memory in the caches; the first of them is not counted. */
const CALLS_IN_A_ROW = 5
const WARM_UP_ROUNDS = 2

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    threads: { type: 'string' },
    out: { type: 'string' },
  },
  allowPositionals: true,
})
const { engine } = await startEngine(
  'tensorflow',
  values.threads === undefined ? {} : { threads: Number(values.threads) },
)
const peer = await Peer.start(engine.identity.threads)
const lines: string[] = []
const print = (line: string): void => {
  lines.push(line)
  process.stdout.write(`${line}\n`)
}
const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ')

print(
  `${engine.identity.version}, ${peer === undefined ? 'no torch' : `PyTorch ${peer.version}`}, ${engine.identity.device}, ` +
    `${engine.identity.threads} threads, load ${load()}\n`,
)
print(
  '| work | eager, ms | compiled, own kernels, ms | compiled, ms | PyTorch, ms | PyTorch channels last, ms | against eager | wanted | against PyTorch | wanted | capture, ms |',
)
print(`|${'---|'.repeat(11)}`)
for (const work of WORKS) {
  if (positionals.length === 0 || positionals.some((part) => work.name.includes(part))) print(await row(work))
}
print(`\nLoad at the end ${load()}`)
if (values.out !== undefined) await appendFile(values.out, `${lines.join('\n')}\n`)
peer?.stop()
await engine.dispose()
process.exit(0)

async function row(work: Work): Promise<string> {
  const { inputs, step, dispose } = makeWork(engine, work)
  await peer?.make(work.form)
  const plain = eagerStep(engine.tf, engine.tf.getBackend(), step)
  const compiled = engine.compile(step)
  const exact = engine.compile(step, { exact: true })
  const timed =
    (run: () => Promise<TensorTree>) =>
    async (calls: number): Promise<readonly number[]> => {
      const times: number[] = []
      for (let call = 0; call < calls; call++) {
        const started = performance.now()
        disposeTensors(await run())
        times.push(performance.now() - started)
      }
      return times
    }
  const variants = [
    timed(() => withStockKernels(() => plain.run(inputs))),
    timed(() => exact.run(inputs)),
    timed(() => compiled.run(inputs)),
    ...(peer === undefined ? [] : PEER_FORMATS.map((format) => (calls: number) => peer.run(format, calls))),
  ]
  const times: number[][] = variants.map(() => [])
  let end = Infinity
  for (let round = 0; round < WARM_UP_ROUNDS + 3 || performance.now() < end; round++) {
    if (round === WARM_UP_ROUNDS) end = performance.now() + 1000 * Number(values.seconds)
    for (const [index, run] of variants.entries()) {
      const counted = (await run(CALLS_IN_A_ROW)).slice(1)
      // The first rounds capture, and let both libraries prepare their kernels.
      if (round >= WARM_UP_ROUNDS) times[index]?.push(...counted)
    }
  }
  const sorted = times.map((list) => list.sort((a, b) => a - b))
  const medians = sorted.map((list) => list[Math.floor(list.length / 2)] ?? NaN)
  const cells = [0, 1, 2, 3, 4].map((index) =>
    sorted[index] === undefined ? 'no torch' : `${digits(medians[index])} (${digits(sorted[index][0])})`,
  )
  const own = medians[2] ?? NaN
  const ratio = (other: number): string => (Number.isFinite(other) ? `${(other / own).toFixed(2)}×` : 'no torch')
  const wanted = (target: number): string => (Number.isFinite(target) ? `${target}×` : '–')
  const pytorch = Math.min(medians[3] ?? NaN, medians[4] ?? NaN)
  const captureMs = compiled.stats().variants[0]?.captureMs
  compiled.dispose()
  exact.dispose()
  dispose()
  const against = [ratio(medians[0] ?? NaN), wanted(work.targets.eager), ratio(pytorch), wanted(work.targets.pytorch)]
  return `| ${[work.name, ...cells, ...against, digits(captureMs)].join(' | ')} |`
}

function digits(value = NaN): string {
  return String(Number(value.toPrecision(3)))
}
