/** `convscope model classify|accuracy|doctor`. */
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { ConvScopeError, toErrorReport, type ErrorReport } from '../../../shared/errors.ts'
import type { Accuracy, Classification, Examination, Rate } from '../../../shared/network/examination.ts'
import { withEngineOptions, type Act } from '../context.ts'
import { findingLines } from '../finding-lines.ts'
import { followProgress } from '../follow-progress.ts'
import { EXIT } from '../follow-run.ts'
import { positiveNumber } from '../numbers.ts'
import type { Register } from '../program.ts'
import { table } from '../terminal.ts'

export function addModelCheck(model: Command, register: Register): void {
  const classifyCommand = withEngineOptions(model.command('classify'))
    .summary('what a network takes pictures for')
    .description('Tells the five most probable classes of each picture.')
    .argument('<name>')
    .argument('<pictures...>', 'picture files')
  register(classifyCommand, ['name', 'pictures'], classify)
  const accuracyCommand = withEngineOptions(model.command('accuracy'))
    .summary('how often a network is right')
    .description('Measures how often a network is right on labelled pictures of a data set.')
    .argument('<name>')
    .requiredOption('--data <name>', 'a data set of the library')
    .option('--split <name>', 'which of its splits', 'test')
    .option('--count <count>', 'so many pictures, evenly spread (default: all)', positiveNumber)
  register(accuracyCommand, ['name'], accuracy)
  const doctorCommand = withEngineOptions(model.command('doctor'))
    .summary('what may be wrong with a network')
    .description(
      'Looks for what commonly goes wrong between a published network and its use. With labelled pictures it tries the ' +
        'plausible pipelines; with reference activations it names the first layer that deviates.',
    )
    .argument('<name>')
    .option('--data <name>', 'a data set of the library, with labels')
    .option('--split <name>', 'which of its splits', 'test')
    .option('--count <count>', 'so many pictures, evenly spread', positiveNumber, 100)
    .option('--reference <file>', 'activations of another program: .npz with one array a layer and the "input"')
  register(doctorCommand, ['name'], doctor)
}

/** A picture that cannot be classified is told by its name, and the others are answered all the same. */
const classify: Act<{ readonly name: string; readonly pictures: readonly string[] }> = (context, { name, pictures }) =>
  context.withProject(async ({ services }) => {
    const { network } = await services.networks.page({ name })
    const answers: ({ picture: string } & ({ top: Classification['top'] } | { error: ErrorReport }))[] = []
    for (const picture of pictures) {
      if (context.interruption.aborted) throw new ConvScopeError('cancelled', 'The classification was cancelled')
      try {
        const question = { name: network.name, picture: { path: resolve(picture) } }
        const { top } = await services.networks.classify(question, { signal: context.interruption })
        answers.push({ picture, top })
      } catch (thrown) {
        if (context.interruption.aborted) throw thrown
        const report = toErrorReport(thrown)
        const error = {
          ...report,
          message: report.message.includes(basename(picture)) ? report.message : `${picture}: ${report.message}`,
        }
        context.terminal.error(error)
        answers.push({ picture, error })
      }
    }
    context.terminal.answer(answers, () =>
      answers.flatMap((answer) => ('top' in answer ? [answerText(answer)] : [])).join('\n\n'),
    )
    return answers.every((answer) => 'top' in answer) ? EXIT.done : EXIT.failed
  })

function answerText({ picture, top }: { readonly picture: string; readonly top: Classification['top'] }): string {
  const rows = top.map(({ index, label, probability }) => [`${(100 * probability).toFixed(2)} %`, index, label])
  return [`${basename(picture)}:`, table(['probability', 'class', 'name'], rows)].join('\n')
}

interface AccuracyOptions {
  readonly name: string
  readonly data: string
  readonly split: string
  readonly count?: number
}

const accuracy: Act<AccuracyOptions> = (context, { name, data, split, count }) =>
  context.withProject(async ({ services }) => {
    const stream = services.networks.accuracy({ name, dataset: data, split, count }, { signal: context.interruption })
    const measured = await followProgress(stream, `Accuracy of ${name}`, context.terminal)
    context.terminal.answer({ name, dataset: data, split, ...measured }, () => accuracyText(measured))
    return EXIT.done
  })

function accuracyText({ top1, top5, classes }: Accuracy): string {
  const rows = classes
    .filter((each) => each.count > 0)
    .map(({ label, count, correct }) => [label, `${((100 * correct) / count).toFixed(1)} %`, count])
  return [
    `Right: ${rateText(top1)}`,
    ...(top5 ? [`Among the five most probable: ${rateText(top5)}`] : []),
    table(['class', 'right', 'pictures'], rows),
  ].join('\n')
}

function rateText({ fraction, correct, count, low, high }: Rate): string {
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`
  return `${percent(fraction)} (${correct} of ${count}; 95 % interval ${percent(low)} to ${percent(high)})`
}

interface DoctorOptions extends Omit<AccuracyOptions, 'data' | 'count'> {
  readonly data?: string
  readonly count: number
  readonly reference?: string
}

const doctor: Act<DoctorOptions> = (context, { name, data, split, count, reference }) =>
  context.withProject(async ({ services }) => {
    const stream = services.networks.examine(
      {
        name,
        pictures: data === undefined ? undefined : { dataset: data, split, count },
        reference: reference === undefined ? undefined : { path: resolve(reference) },
      },
      { signal: context.interruption },
    )
    const examination = await followProgress(stream, `Examining ${name}`, context.terminal)
    context.terminal.answer(examination, () => examinationText(examination))
    return EXIT.done
  })

function examinationText({ findings, pipelines, reference }: Examination): string {
  const trials = pipelines.map(({ description, own, top1 }) => [
    `${(100 * top1.fraction).toFixed(1)} %`,
    own ? `${description} (the network’s)` : description,
  ])
  const layers = (reference?.layers ?? []).map(({ layer, deviation, fits }) => [
    layer,
    deviation.toExponential(1),
    fits ? 'yes' : 'no',
  ])
  return [
    ...(findings.length > 0 ? findingLines(findings) : ['Nothing was found.']),
    ...(trials.length > 0 ? [table(['right', 'pipeline'], trials)] : []),
    ...(layers.length > 0 ? [table(['layer', 'deviation', 'fits'], layers)] : []),
    ...(reference?.firstDeviating ? [`The first layer that deviates is ${reference.firstDeviating}.`] : []),
  ].join('\n')
}
