/** `convscope model list|show|architectures|rename|remove`; the others have files of their own. */
import type { Command } from 'commander'
import { preprocessingSteps } from '../../../shared/network/describe.ts'
import type { NetworkPage } from '../../../shared/network/page.ts'
import { LibraryName } from '../../../shared/values.ts'
import { withCommonOptions, withEngineOptions, type Act } from '../context.ts'
import { findingLines } from '../finding-lines.ts'
import { EXIT } from '../follow-run.ts'
import { parseArgument } from '../parse-argument.ts'
import type { Register } from '../program.ts'
import { byteText, table } from '../terminal.ts'
import { addModelChange } from './model-change.ts'
import { addModelCheck } from './model-check.ts'
import { addModelExport } from './model-export.ts'
import { addModelImport } from './model-import.ts'

export function addModel(program: Command, register: Register): void {
  const model = program.command('model').summary('networks of the library').description('Networks of the library.')
  const listCommand = withCommonOptions(model.command('list'))
    .summary('list the networks')
    .description('Lists the networks.')
  register(listCommand, [], list)
  const showCommand = withEngineOptions(model.command('show'))
    .summary('show a network: layers, pipeline, classes, origin')
    .description(
      'Shows a network: layers with shapes, parameters and receptive fields, what happens to pictures, class names, ' +
        'the files it was imported from, and what was noticed about them.',
    )
    .argument('<name>')
  register(showCommand, ['name'], show)
  addModelImport(model, register)
  addModelCheck(model, register)
  addModelChange(model, register)
  addModelExport(model, register)
  const architecturesCommand = withCommonOptions(model.command('architectures'))
    .summary('list the known architectures')
    .description('Lists the known architectures, to which files of weights alone can be bound.')
  register(architecturesCommand, [], architectures)
  const renameCommand = withCommonOptions(model.command('rename'))
    .summary('give a network another name')
    .description('Gives a network of the library another name; its hash stays. Documents that name it must be changed.')
    .argument('<name>')
    .argument('<to>', 'the new name')
  register(renameCommand, ['name', 'to'], rename)
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
    context.terminal.answer(page, () => pageText(page))
    return EXIT.done
  })

function pageText({ network, layers, parameters }: NetworkPage): string {
  const { spec, origin, findings = [] } = network
  const rows = layers.map(({ name: layer, type, shape, parameters: count, receptiveField: field }) => [
    layer,
    type,
    shape.join(' × '),
    count,
    field ? `${field.rows.size} × ${field.columns.size}, stride ${field.rows.stride}` : 'everything',
  ])
  const steps = preprocessingSteps(spec.preprocessing).map(({ title, text }) => `${title.toLowerCase()} ${text}`)
  return [
    `${network.title} (${network.name}), ${parameters} parameters`,
    ...(spec.source === '' ? [] : [spec.source]),
    `Hash ${network.hash}`,
    `Pictures: ${steps.join('; ')}`,
    `Classes: ${classesText(spec.classes)}`,
    ...(origin ? [`Imported from ${origin.format}:`] : []),
    ...(origin?.files ?? []).map(({ name: file, bytes, sha256 }) => `  ${file}, ${byteText(bytes)}, SHA-256 ${sha256}`),
    ...findingLines(findings),
    table(['layer', 'type', 'shape', 'parameters', 'field'], rows),
  ].join('\n')
}

const SHOWN_CLASSES = 10

function classesText(classes: readonly string[]): string {
  if (classes.length === 0) return 'without names'
  const more = classes.length > SHOWN_CLASSES ? ` … (${classes.length})` : ''
  return `${classes.slice(0, SHOWN_CLASSES).join(', ')}${more}`
}

const architectures: Act<object> = (context) =>
  context.withProject(async ({ services }) => {
    const known = await services.networks.architectures()
    context.terminal.answer(known, () => {
      const rows = known.map(({ name, title, parameters }) => [name, title, parameters])
      return table(['architecture', 'title', 'parameters'], rows)
    })
    return EXIT.done
  })

const rename: Act<{ readonly name: string; readonly to: string }> = (context, { name, to }) => {
  const target = parseArgument(LibraryName, to, 'The new name')
  return context.withProject(async ({ services }) => {
    await services.networks.rename({ name, to: target })
    context.terminal.answer({ name: target, renamedFrom: name }, () => `${name} is ${target} now.`)
    return EXIT.done
  })
}

const remove: Act<{ readonly name: string }> = (context, { name }) =>
  context.withProject(async ({ services }) => {
    await services.networks.remove({ name })
    context.terminal.answer({ name, removed: true }, () => `Removed ${name}.`)
    return EXIT.done
  })
