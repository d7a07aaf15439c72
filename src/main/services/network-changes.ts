/** Changes of a network of the library by hand: its pipeline, class names, title, name. Weights and layers stay. */
import type { NetworkChange } from '../../shared/contract/networks.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import type { LayerPage, NetworkRecord, NetworkSummary } from '../../shared/network/page.ts'
import type { NetworkSpec, Preprocessing } from '../../shared/network/spec.ts'
import { networkHash } from '../project/networks.ts'
import type { Project } from '../project/project.ts'
import { requireFreeName, withoutSpec } from './imports.ts'

/**
 * Saves a changed network under the same name, with another hash: runs keep the hash of what they used.
 * @param layers the network's, for the number of its outputs
 * @throws ConvScopeError 'conflict' for a built-in one, 'invalid-input' for what does not fit the network
 */
export function changeNetwork(
  { name, title, preprocessing, classes }: NetworkChange,
  layers: readonly LayerPage[],
  project: Project,
): NetworkSummary {
  const network = project.networks.get(name)
  requireOwn(network)
  if (preprocessing) requirePipelineFits(preprocessing, network.spec)
  if (classes) requireClassesFit(classes, layers)
  const spec: NetworkSpec = {
    ...network.spec,
    ...(title === undefined ? {} : { title }),
    ...(preprocessing === undefined ? {} : { preprocessing }),
    ...(classes === undefined ? {} : { classes }),
  }
  const changed: NetworkRecord = {
    ...network,
    title: spec.title,
    spec,
    hash: networkHash({ spec, weights: network.weights }),
  }
  // What was measured holds for the pipeline that it was measured with.
  if (preprocessing) delete changed.testError
  project.networks.save(changed, { replace: true })
  return withoutSpec(changed)
}

/** @throws ConvScopeError 'conflict' for a built-in network or a name in use */
export function renameNetwork({ name, to }: { name: string; to: string }, project: Project): void {
  const network = project.networks.get(name)
  requireOwn(network)
  if (network.name === to) return
  if (network.name.toLowerCase() !== to.toLowerCase()) requireFreeName(to, project)
  project.networks.rename(network.name, to)
}

function requireOwn({ name, source }: NetworkRecord): void {
  if (source !== 'built-in') return
  throw new ConvScopeError('conflict', `The network "${name}" comes with the program and is not changed`, {
    remedy: 'Export it and import it under another name.',
  })
}

function requirePipelineFits({ resize, crop, channelOrder, mean, std }: Preprocessing, { layers }: NetworkSpec): void {
  const [input] = layers
  if (input?.type !== 'input') throw new ConvScopeError('damaged', 'The network has no input layer')
  const [height, width, channels] = input.shape
  const fits = (what: string, isTrue: boolean, remedy: string): void => {
    if (!isTrue) throw new ConvScopeError('invalid-input', what, { remedy })
  }
  const colours = channelOrder === 'grey' ? 1 : 3
  fits(
    `The network takes ${channels} ${channels === 1 ? 'channel' : 'channels'}, and this pipeline gives ${colours}`,
    colours === channels,
    channels === 1 ? 'Choose grey levels.' : 'Choose red, green, blue or blue, green, red.',
  )
  for (const [what, values] of [
    ['means', mean],
    ['deviations', std],
  ] as const)
    fits(
      `There are ${values.length} ${what}, and the network has ${channels} channels`,
      values.length === 0 || values.length === channels,
      `Give ${channels}, or none.`,
    )
  const last = crop ?? (resize?.mode === 'exact' ? resize : undefined)
  fits(
    `This pipeline ends at ${last?.height ?? 0} × ${last?.width ?? 0} pixels, and the network takes ${height} × ${width}`,
    last === undefined || (last.height === height && last.width === width),
    `Let it end at ${height} × ${width}.`,
  )
}

function requireClassesFit(classes: readonly string[], layers: readonly LayerPage[]): void {
  const outputs = layers.at(-1)?.shape.at(-1) ?? 0
  if (classes.length === 0 || classes.length === outputs) return
  throw new ConvScopeError('invalid-input', `There are ${classes.length} class names for ${outputs} outputs`, {
    remedy: `Give ${outputs} names in the order of the outputs, one a line, or none.`,
  })
}
