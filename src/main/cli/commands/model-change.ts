/** `convscope model change`. */
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { ConvScopeError } from '../../../shared/errors.ts'
import { preprocessingSteps } from '../../../shared/network/describe.ts'
import { Preprocessing } from '../../../shared/network/spec.ts'
import { diskError } from '../../platform/disk-error.ts'
import { withCommonOptions, type Act } from '../context.ts'
import { EXIT } from '../follow-run.ts'
import { parseArgument } from '../parse-argument.ts'
import type { Register } from '../program.ts'

interface ChangeOptions {
  readonly name: string
  readonly title?: string
  readonly classes?: string
  readonly preprocessing?: string
}

export function addModelChange(model: Command, register: Register): void {
  const command = withCommonOptions(model.command('change'))
    .summary('change the title, class names or preprocessing of a network')
    .description(
      'Changes the title, the class names or the preprocessing of a network; its weights stay. Its hash changes: runs keep ' +
        'that of what they used. "model show NAME --json" prints the present preprocessing under network.spec.',
    )
    .argument('<name>')
    .option('--title <title>', 'what it is called on screen')
    .option('--classes <file>', 'names of the classes, one a line, in the order of the outputs')
    .option('--preprocessing <file>', 'a JSON file such as {"channelOrder":"rgb","scale":1,"mean":[123,117,104]}')
  register(command, ['name'], change)
}

const change: Act<ChangeOptions> = async (context, { name, title, classes, preprocessing }) => {
  if (title === undefined && classes === undefined && preprocessing === undefined) {
    throw new ConvScopeError('invalid-input', `Nothing of ${name} is to be changed`, {
      remedy: 'Give --title, --classes or --preprocessing.',
    })
  }
  const names = classes === undefined ? undefined : linesOf(await textOf(classes))
  const pipeline = preprocessing === undefined ? undefined : await pipelineOf(preprocessing)
  return context.withProject(async ({ services }) => {
    const changed = await services.networks.change({ name, title, classes: names, preprocessing: pipeline })
    context.terminal.answer(changed, () =>
      [
        `Changed ${changed.name}: ${changed.title}`,
        ...(names === undefined ? [] : [`Classes: ${names.length}`]),
        ...(pipeline === undefined
          ? []
          : preprocessingSteps(pipeline).map(({ title: step, text }) => `${step}: ${text}`)),
      ].join('\n'),
    )
    return EXIT.done
  })
}

/** The last line may end or not. */
function linesOf(text: string): string[] {
  return text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
}

async function pipelineOf(file: string): Promise<Preprocessing> {
  const text = await textOf(file)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConvScopeError('invalid-input', `"${file}" is not JSON: ${reason}`, { cause })
  }
  return parseArgument(Preprocessing, value, `${file}, as a preprocessing,`)
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw diskError(file, 'read', error)
  })
}
