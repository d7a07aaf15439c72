/** `convscope data list|show|import|split|remove`. */
import type { Command } from 'commander'
import type { DatasetRecord, SplitStatistics } from '../../../shared/datasets.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import { suggestNames } from '../../../shared/nearest-names.ts'
import { LibraryName, Seed } from '../../../shared/values.ts'
import { withCommonOptions, type Act } from '../context.ts'
import { EXIT } from '../follow-run.ts'
import { wholeNumber } from '../numbers.ts'
import { parseArgument } from '../parse-argument.ts'
import type { Register } from '../program.ts'
import { table } from '../terminal.ts'
import { addDataImport } from './data-import.ts'

export function addData(program: Command, register: Register): void {
  const data = program.command('data').summary('data sets of the library').description('Data sets of the library.')
  const listCommand = withCommonOptions(data.command('list'))
    .summary('list the data sets')
    .description('Lists the data sets.')
  register(listCommand, [], list)
  const showCommand = withCommonOptions(data.command('show'))
    .summary('show a data set: splits, classes, mean and standard deviation')
    .description(
      'Shows a data set: splits, pictures of each class, mean and standard deviation of each channel. Reads every picture at the first time.',
    )
    .argument('<name>')
  register(showCommand, ['name'], show)
  addDataImport(data, register)
  const splitCommand = withCommonOptions(data.command('split'))
    .summary('add two random halves of a split')
    .description(
      'Adds two random halves of a split as splits of their own. Which pictures are in which is told by the seed.',
    )
    .argument('<name>')
    .requiredOption('--halves <first,second>', 'names of the halves, such as P1,P2')
    .option('--of <split>', 'the split to halve', 'train')
    .option('--seed <number>', 'seed of the random order', wholeNumber, 0)
  register(splitCommand, ['name'], split)
  const removeCommand = withCommonOptions(data.command('remove'))
    .summary('remove a data set from the library')
    .description('Removes a data set from the library; runs keep its hash. Files that were left in place stay there.')
    .argument('<name>')
  register(removeCommand, ['name'], remove)
}

const list: Act<object> = (context) =>
  context.withProject(async ({ services }) => {
    const datasets = await services.datasets.list()
    context.terminal.answer(datasets, () => {
      const rows = datasets.map(({ name, title, shape, classes, splits, source }) => [
        name,
        title,
        shapeText(shape),
        classes.length,
        splits.map((part) => `${part.name} ${part.count}`).join(', '),
        source,
      ])
      return table(['data set', 'title', 'pictures', 'classes', 'splits', 'source'], rows)
    })
    return EXIT.done
  })

const show: Act<{ readonly name: string }> = (context, { name }) =>
  context.withProject(async ({ services }) => {
    const datasets = await services.datasets.list()
    const dataset = datasets.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase())
    if (!dataset) {
      throw new ConvScopeError('not-found', `There is no data set "${name}" in the library`, {
        remedy: suggestNames(
          name,
          datasets.map((known) => known.name),
          'The library has',
        ),
      })
    }
    const statistics: SplitStatistics[] = []
    for (const part of dataset.splits) {
      statistics.push(await services.datasets.statistics({ name: dataset.name, split: part.name }))
    }
    context.terminal.answer({ ...dataset, statistics }, () => datasetText(dataset, statistics))
    return EXIT.done
  })

function datasetText(dataset: DatasetRecord, statistics: readonly SplitStatistics[]): string {
  const { title, name, shape, attribution, origin, location, hash, classes, splits } = dataset
  const counts = classes.map((label, index) => [label, ...statistics.map((part) => part.classCounts[index] ?? 0)])
  const unlabelled = statistics.some((part) => part.unlabelled > 0)
  const rows = statistics.map((part) => [
    part.split,
    part.count,
    numbersText(part.mean),
    numbersText(part.standardDeviation),
    sizeText(part),
  ])
  return [
    `${title} (${name}), pictures ${shapeText(shape)}`,
    ...(attribution === '' ? [] : [attribution]),
    ...(origin
      ? [`Imported from ${origin.files.join(', ')} (${origin.format}); ${origin.refused} files left out`]
      : []),
    ...(location === undefined ? [] : [`The pictures are in ${location}`]),
    ...splits.flatMap(({ name: part, half }) =>
      half ? [`${part} is the ${half.index === 0 ? 'first' : 'second'} half of ${half.of}, seed ${half.seed}`] : [],
    ),
    `Hash ${hash}`,
    table(['split', 'pictures', 'mean', 'standard deviation', 'size'], rows),
    ...(counts.length === 0 && !unlabelled
      ? []
      : [
          table(
            ['class', ...statistics.map((part) => part.split)],
            [...counts, ...(unlabelled ? [['(none)', ...statistics.map((part) => part.unlabelled)]] : [])],
          ),
        ]),
  ].join('\n')
}

interface SplitOptions {
  readonly name: string
  readonly halves: string
  readonly of: string
  readonly seed: number
}

const split: Act<SplitOptions> = (context, { name, halves, of, seed }) => {
  const names = halves.split(',').map((half) => parseArgument(LibraryName, half.trim(), 'The name of a half'))
  const [first, second] = names
  if (first === undefined || second === undefined || names.length !== 2) {
    throw new ConvScopeError('invalid-input', `"${halves}" does not name two halves`, {
      remedy: 'Give two names with a comma between, such as P1,P2.',
    })
  }
  const number = parseArgument(Seed, seed, 'The seed')
  return context.withProject(async ({ services }) => {
    const dataset = await services.datasets.halve({ name, split: of, halves: [first, second], seed: number })
    context.terminal.answer(dataset, () => {
      const counts = dataset.splits
        .filter((part) => names.includes(part.name))
        .map((part) => `${part.name} ${part.count}`)
      return `${dataset.name} has the halves ${counts.join(', ')} of ${of} now (seed ${number}).`
    })
    return EXIT.done
  })
}

const remove: Act<{ readonly name: string }> = (context, { name }) =>
  context.withProject(async ({ services }) => {
    await services.datasets.remove({ name })
    context.terminal.answer({ name, removed: true }, () => `Removed ${name}.`)
    return EXIT.done
  })

function shapeText(shape: DatasetRecord['shape']): string {
  return shape ? shape.join(' × ') : 'of different sizes'
}

function numbersText(numbers: readonly number[]): string {
  return numbers.map((number) => number.toFixed(2)).join(', ')
}

function sizeText({ smallest, largest }: SplitStatistics): string {
  const [small, large] = [smallest?.join(' × ') ?? '', largest?.join(' × ') ?? '']
  return small === large ? small : `${small} to ${large}`
}
