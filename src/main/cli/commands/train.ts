/** `convscope train ARCHITECTURE`: builds the document and runs it. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { ConvScopeError } from '../../../shared/errors.ts'
import { parseDocument } from '../../../shared/experiments/index.ts'
import {
  TrainClassifierParams,
  TrainClassifierResult,
  WeightDecay,
  type Optimiser,
} from '../../../shared/experiments/train-classifier.ts'
import { NetworkSpec } from '../../../shared/network/spec.ts'
import type { OutputRecord, RunRecord } from '../../../shared/runs.ts'
import { Json } from '../../../shared/values.ts'
import { writeFileAtomically } from '../../platform/atomic-file.ts'
import { diskError } from '../../platform/disk-error.ts'
import type { TrainingReport } from '../../services/built-in.ts'
import type { Access } from '../access.ts'
import { withEngineOptions, type Act } from '../context.ts'
import { EXIT, runToEnd } from '../follow-run.ts'
import { decimalNumber, decimalNumbers, wholeNumber, wholeNumbers } from '../numbers.ts'
import { jsonText } from '../output-folder.ts'
import type { Register } from '../program.ts'
import { answerRun } from './run.ts'

interface TrainOptions {
  readonly architecture: string
  readonly from?: boolean
  readonly dataset: string
  readonly trainSplit?: string
  readonly testSplit?: string
  readonly name?: string
  readonly epochs?: number
  readonly batchSize?: number
  readonly optimiser?: Optimiser['kind']
  readonly learningRate?: number
  readonly nesterov?: boolean
  readonly cosine?: number
  readonly slowAt?: number[]
  readonly slowBy?: number
  readonly slowWhenStalled?: number
  readonly decay?: number[]
  readonly decayReading?: WeightDecay['reading']
  readonly dropout?: number
  readonly shift?: number
  readonly flip?: boolean
  readonly filterRms?: number
  readonly stopAfter?: number
  readonly snapshots?: number[]
  readonly trainCount?: number
  readonly testCount?: number
  readonly seed?: number
  readonly out?: string
  readonly export?: string
}

export function addTrain(program: Command, register: Register): void {
  const command = withEngineOptions(program.command('train'))
    .summary('train a network')
    .description(
      'Trains a network on a labelled data set; it enters the library. Everything else that a training can do is in its document: ' +
        'see examples/train-cifar-alexnet.json and "convscope run".',
    )
    .argument('<architecture>', 'known architecture, from nothing; with --from, a network of the library')
    .option('--from', 'go on with the weights of a network of the library')
    .option('--dataset <name>', 'data set of the library', 'mnist')
    .option('--train-split <name>', 'split to train on (default: train)')
    .option('--test-split <name>', 'split to measure on (default: test)')
    .option('--name <name>', 'name of the trained network in the library')
    .option('--epochs <count>', 'passes over the training pictures; iterations of L-BFGS', wholeNumber)
    .option('--batch-size <count>', 'pictures a step', wholeNumber)
    .addOption(
      new Option('--optimiser <kind>', 'adam (default), momentum or l-bfgs').choices(['adam', 'momentum', 'l-bfgs']),
    )
    .option('--learning-rate <rate>', 'step size', decimalNumber)
    .option('--nesterov', "momentum in Nesterov's form")
    .option('--cosine <epochs>', 'rate along half a cosine to 0, after a rise over so many epochs', decimalNumber)
    .option('--slow-at <epochs>', 'multiply the learning rate at the start of these epochs, e.g. 6,9', wholeNumbers)
    .option('--slow-when-stalled <epochs>', 'multiply it when the test error stalls for so many epochs', wholeNumber)
    .option('--slow-by <factor>', 'by this factor', decimalNumber)
    .option('--decay <lambda>', 'weight decay: one number, or one for each layer with weights', decimalNumbers)
    .addOption(
      new Option('--decay-reading <reading>', 'what the numbers mean (default: kernels)').choices([
        ...WeightDecay.shape.reading.unwrap().options,
      ]),
    )
    .option('--dropout <rate>', 'rate of all dropout layers', decimalNumber)
    .option('--shift <pixels>', 'shift pictures randomly by up to so many pixels', wholeNumber)
    .option('--flip', 'mirror every other picture')
    .option('--filter-rms <limit>', 'largest root mean square of a filter', decimalNumber)
    .option('--stop-after <epochs>', 'end after so many epochs without a smaller test error', wholeNumber)
    .option('--snapshots <epochs>', 'keep the weights after these epochs, e.g. 0,1,2,5', wholeNumbers)
    .option('--train-count <count>', 'train on the first so many pictures', wholeNumber)
    .option('--test-count <count>', 'measure on the first so many pictures', wholeNumber)
    .option('--seed <number>', 'seed of all randomness', wholeNumber)
    .option('--out <folder>', "write the run's files")
    .option('--export <folder>', 'write network.json, weights.safetensors and training.json')
  register(command, ['architecture'], train)
}

const train: Act<TrainOptions> = async (context, options) => {
  const document = documentOf(options)
  return context.withProject(async (access) => {
    const { out, export: exported } = options
    const ended = await runToEnd(document, access, context.terminal, { out, interruption: context.interruption })
    if (ended.exitCode === EXIT.done && exported !== undefined) {
      await exportNetwork(exported, ended.run, commandOf(options), access)
      context.terminal.note(`The network is in ${exported}`)
    }
    if (ended.exitCode === EXIT.done) context.terminal.note(await libraryText(ended.run, access))
    answerRun(context.terminal, ended, out)
    return ended.exitCode
  })
}

/** Where the result has gone. The library's name for it is another than asked for where that was taken. */
async function libraryText({ id, result }: RunRecord, { services }: Access): Promise<string> {
  const { network, testErrorPercent } = TrainClassifierResult.parse(result)
  const entered = (await services.networks.list()).find(({ runId }) => runId === id)
  const state = entered ? 'is in the library' : 'was in the library already'
  return `The network ${entered?.name ?? network} ${state}: test error ${testErrorPercent.toFixed(2)} %`
}

function documentOf(options: TrainOptions): Json {
  const { optimiser = 'adam', learningRate, nesterov } = options
  const params = {
    start: { from: options.from === true ? 'network' : 'architecture', name: options.architecture },
    dataset: options.dataset,
    trainSplit: options.trainSplit,
    testSplit: options.testSplit,
    name: options.name,
    epochs: options.epochs,
    batchSize: options.batchSize,
    optimiser: withoutAbsent({ kind: optimiser, learningRate, nesterov }),
    schedule: scheduleOf(options),
    weightDecay: {
      reading: options.decayReading,
      lambda: options.decay?.length === 1 ? options.decay[0] : options.decay,
    },
    dropout: options.dropout,
    augmentation: { shiftPixels: options.shift, flip: options.flip },
    maximumFilterRms: options.filterRms,
    stopAfter: options.stopAfter,
    snapshots: options.snapshots,
    trainCount: options.trainCount,
    testCount: options.testCount,
  }
  const document = parseDocument({ kind: 'train-classifier', version: 2, params, seed: options.seed })
  // Members left out are undefined here, which JSON does not know.
  return Json.parse(JSON.parse(JSON.stringify(document)))
}

/** An option that the chosen kind does not know is to be refused, but only where it was given. */
function withoutAbsent<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** @throws ConvScopeError 'invalid-input' for two at once */
function scheduleOf({ slowAt, slowBy, slowWhenStalled, cosine }: TrainOptions): unknown {
  const chosen = [
    slowAt && { kind: 'steps', epochs: slowAt, factor: slowBy },
    slowWhenStalled !== undefined && { kind: 'when-stalled', patience: slowWhenStalled, factor: slowBy },
    cosine !== undefined && { kind: 'cosine', warmUpEpochs: cosine },
  ].filter((schedule) => typeof schedule === 'object')
  if (chosen.length > 1) {
    throw new ConvScopeError('invalid-input', 'The learning rate can follow one schedule only', {
      remedy: 'Choose one of --cosine, --slow-at and --slow-when-stalled.',
    })
  }
  return chosen[0]
}

/** Options that say where things lie or how they are shown. */
const PLACES: ReadonlySet<string> = new Set(['project', 'json', 'verbose', 'out', 'export'])

/** The command that gives these weights again, without what only says where things lie. */
function commandOf(options: TrainOptions): string {
  const { architecture } = options
  const rest = Object.entries(options).filter(([name]) => !PLACES.has(name) && name !== 'architecture')
  const words = rest
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => {
      const option = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
      return value === true ? [option] : [option, String(value)]
    })
  return ['convscope', 'train', architecture, ...words].join(' ')
}

async function exportNetwork(folder: string, run: RunRecord, command: string, access: Access): Promise<void> {
  const result = TrainClassifierResult.parse(run.result)
  const document = parseDocument(run.document)
  const { provenance } = run
  if (document.kind !== 'train-classifier' || !provenance) {
    throw new ConvScopeError('internal', `The run ${run.id} is not a finished training`)
  }
  const weights = output(run, 'weights')
  const specText = new TextDecoder().decode(await access.artifact(output(run, 'spec').sha256))
  const params = TrainClassifierParams.parse(document.params)
  const report: TrainingReport = {
    command,
    program: provenance.program,
    platform: provenance.platform,
    engine: provenance.engine,
    seed: document.seed,
    params,
    datasetHash: provenance.datasets[params.dataset] ?? '',
    weights: { sha256: weights.sha256, bytes: weights.bytes, parameters: result.parameters },
    testErrorPercent: result.testErrorPercent,
    testCount: result.testCount,
    imagesPerSecond: result.imagesPerSecond,
    epochs: result.epochs,
  }
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    throw diskError(folder, 'write', error)
  }
  await writeFileAtomically(join(folder, 'weights.safetensors'), await access.artifact(weights.sha256))
  await writeFileAtomically(join(folder, 'network.json'), jsonText(NetworkSpec.parse(JSON.parse(specText))))
  await writeFileAtomically(join(folder, 'training.json'), jsonText(report))
}

function output(run: RunRecord, name: string): OutputRecord {
  const found = run.outputs.find((candidate) => candidate.name === name)
  if (found) return found
  throw new ConvScopeError('internal', `The run ${run.id} has no output "${name}"`)
}
