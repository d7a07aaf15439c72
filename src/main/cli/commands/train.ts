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
} from '../../../shared/experiments/train-classifier.ts'
import { TRAINING_PRESETS } from '../../../shared/experiments/training-presets.ts'
import { NetworkSpec } from '../../../shared/network/spec.ts'
import type { OutputRecord, RunRecord } from '../../../shared/runs.ts'
import { writeFileAtomically } from '../../platform/atomic-file.ts'
import { diskError } from '../../platform/disk-error.ts'
import type { TrainingReport } from '../../services/built-in.ts'
import type { Access } from '../access.ts'
import { withEngineOptions, type Act } from '../context.ts'
import { EXIT, runToEnd } from '../follow-run.ts'
import { decimalNumber, decimalNumbers, wholeNumber, wholeNumbers } from '../numbers.ts'
import { jsonText } from '../output-folder.ts'
import { continuedDocument, optionName, trainingDocument, type TrainingOptions } from '../training-document.ts'
import type { Register } from '../program.ts'
import { answerRun } from './run.ts'

interface TrainOptions extends TrainingOptions {
  readonly out?: string
  readonly export?: string
}

const PRESET_NAMES = TRAINING_PRESETS.map(({ name }) => name).join(', ')

export function addTrain(program: Command, register: Register): void {
  const command = withEngineOptions(program.command('train'))
    .summary('train a network')
    .description(
      'Trains a network on a labelled data set; it enters the library. Everything else that a training can do is in its document: ' +
        'see examples/train-cifar-alexnet.json and "convscope run".',
    )
    .argument('[architecture]', 'known architecture, from nothing; with --from, a network of the library')
    .option('--from', 'go on with the weights of a network of the library')
    .option(
      '--continue <run>',
      'go on after the last epoch of a training that has ended or was cancelled, with its settings',
    )
    .option('--preset <name>', `published settings: ${PRESET_NAMES}, none (default: those of the architecture)`)
    .option('--input-size <height,width>', 'size of the input of an architecture (default: as published)', wholeNumbers)
    .option('--dataset <name>', 'data set of the library (default: mnist)')
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
  const { out, export: exported, continue: continued } = options
  // What can be wrong without a look at the project is said before it is opened.
  const fresh = continued === undefined ? trainingDocument(options) : undefined
  return context.withProject(async (access) => {
    const document = fresh ?? continuedDocument(options, await access.services.runs.show({ id: continued ?? '' }))
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

/** Options that say where things lie or how they are shown. */
const PLACES: ReadonlySet<string> = new Set(['project', 'json', 'verbose', 'out', 'export'])

/** The command that gives these weights again, without what only says where things lie. */
function commandOf(options: TrainOptions): string {
  const { architecture = '' } = options
  const rest = Object.entries(options).filter(([name]) => !PLACES.has(name) && name !== 'architecture')
  const words = rest
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => {
      const option = optionName(name)
      return value === true ? [option] : [option, String(value)]
    })
  return ['convscope', 'train', architecture, ...words].filter((word) => word !== '').join(' ')
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
