/** `convscope model list|show|remove`. */
import type { Command } from 'commander'
import { withCommonOptions, withEngineOptions, type Act } from '../context.ts'
import { EXIT } from '../follow-run.ts'
import type { Register } from '../program.ts'
import { table } from '../terminal.ts'

export function addModel(program: Command, register: Register): void {
  const model = program.command('model').summary('networks of the library').description('Networks of the library.')
  const listCommand = withCommonOptions(model.command('list'))
    .summary('list the networks')
    .description('Lists the networks.')
  register(listCommand, [], list)
  const showCommand = withEngineOptions(model.command('show'))
    .summary('show the layers of a network')
    .description('Shows the layers of a network: shapes, parameters, receptive fields.')
    .argument('<name>')
  register(showCommand, ['name'], show)
  const removeCommand = withCommonOptions(model.command('remove'))
    .summary('remove a network from the library')
    .description('Removes a network from the library; runs keep its hash.')
    .argument('<name>')
  register(removeCommand, ['name'], remove)
}

const list: Act<object> = (context) =>
  context.withProject(async ({ services }) => {
    const networks = await services.networks.list()
    context.terminal.answer(networks, () => {
      const rows = networks.map(({ name, title, source, testError }) => [
        name,
        title,
        source,
        testError ? `${testError.percent.toFixed(2)} % on ${testError.dataset}` : '',
      ])
      return table(['network', 'title', 'source', 'test error'], rows)
    })
    return EXIT.done
  })

const show: Act<{ readonly name: string }> = (context, { name }) =>
  context.withProject(async ({ services }) => {
    const page = await services.networks.page({ name })
    context.terminal.answer(page, () => {
      const rows = page.layers.map(({ name: layer, type, shape, parameters, receptiveField: field }) => [
        layer,
        type,
        shape.join(' × '),
        parameters,
        field ? `${field.rows.size} × ${field.columns.size}, stride ${field.rows.stride}` : 'everything',
      ])
      const { network } = page
      return [
        `${network.title} (${network.name}), ${page.parameters} parameters`,
        network.spec.source,
        `Hash ${network.hash}`,
        table(['layer', 'type', 'shape', 'parameters', 'field'], rows),
      ].join('\n')
    })
    return EXIT.done
  })

const remove: Act<{ readonly name: string }> = (context, { name }) =>
  context.withProject(async ({ services }) => {
    await services.networks.remove({ name })
    context.terminal.answer({ name, removed: true }, () => `Removed ${name}.`)
    return EXIT.done
  })
