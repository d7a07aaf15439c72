/** `convscope data list|show`. */
import type { Command } from 'commander'
import type { DatasetRecord } from '../../../shared/datasets.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import { withCommonOptions, type Act } from '../context.ts'
import { EXIT } from '../follow-run.ts'
import type { Register } from '../program.ts'
import { table } from '../terminal.ts'

export function addData(program: Command, register: Register): void {
  const data = program.command('data').summary('data sets of the library').description('Data sets of the library.')
  const listCommand = withCommonOptions(data.command('list'))
    .summary('list the data sets')
    .description('Lists the data sets.')
  register(listCommand, [], list)
  const showCommand = withCommonOptions(data.command('show'))
    .summary('show a data set')
    .description('Shows a data set.')
    .argument('<name>')
  register(showCommand, ['name'], show)
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
        splits.map((split) => `${split.name} ${split.count}`).join(', '),
        source,
      ])
      return table(['data set', 'title', 'pictures', 'classes', 'splits', 'source'], rows)
    })
    return EXIT.done
  })

const show: Act<{ readonly name: string }> = (context, { name }) =>
  context.withProject(async ({ services }) => {
    const dataset = (await services.datasets.list()).find(
      (candidate) => candidate.name.toLowerCase() === name.toLowerCase(),
    )
    if (!dataset) {
      throw new ConvScopeError('not-found', `There is no data set "${name}" in the library`, {
        remedy: 'See "convscope data list".',
      })
    }
    context.terminal.answer(dataset, () =>
      [
        `${dataset.title} (${dataset.name})`,
        `Pictures: ${shapeText(dataset.shape)}; ${dataset.splits.map((split) => `${split.name} ${split.count}`).join(', ')}`,
        `Classes: ${dataset.classes.join(', ')}`,
        dataset.attribution,
        `Hash ${dataset.hash}`,
      ].join('\n'),
    )
    return EXIT.done
  })

function shapeText(shape: DatasetRecord['shape']): string {
  return shape ? shape.join(' × ') : 'of different sizes'
}
