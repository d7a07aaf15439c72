/** MatConvNet's graphs of layers (DagNN), as `net.saveobj()` writes them: layers joined by named variables, with named parameters. */
import { UnsupportedOperator, type LayerOutput, type NetworkAssembly } from '../assembly/network-assembly.ts'
import { addMatLayer, isEnd, keepsPlaceless, type MatLayer } from './layers.ts'
import { fieldsOf, settingsOf, textOf, textsOf, type MatFields, type MatValue } from './mat-value.ts'

export interface DagLayer extends MatLayer {
  /** Names of variables. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** Classes of blocks with the types of chains that compute the same. */
const TYPES: Readonly<Record<string, string>> = {
  'dagnn.Conv': 'conv',
  'dagnn.ConvTranspose': 'convt',
  'dagnn.BatchNorm': 'bnorm',
  'dagnn.Pooling': 'pool',
  'dagnn.LRN': 'lrn',
  'dagnn.ReLU': 'relu',
  'dagnn.Sigmoid': 'sigmoid',
  'dagnn.DropOut': 'dropout',
  'dagnn.SoftMax': 'softmax',
  'dagnn.Loss': 'loss',
}

/** Whether the layers of a file are those of a graph. */
export function isDag(layers: MatValue | undefined): boolean {
  return layers?.kind === 'struct' && layers.items[0]?.has('block') === true
}

/** In the order of the file. @param refuse makes the error for a layer that cannot be read */
export function dagLayers(net: MatFields, refuse: (reason: string) => Error): DagLayer[] {
  const layers = net.get('layers')
  const stored = net.get('params')
  const parameters = new Map(
    (stored?.kind === 'struct' ? stored.items : []).map((each) => [textOf(each.get('name')) ?? '', each.get('value')]),
  )
  return (layers?.kind === 'struct' ? layers.items : []).map((layer, index) => {
    const written = textOf(layer.get('type'))
    if (written === undefined) throw refuse(`its layer ${index + 1} has no type`)
    const block = fieldsOf(layer.get('block')) ?? new Map<string, MatValue>()
    const weights = namesIn(layer.get('params')).map((name): MatValue => {
      const value = parameters.get(name)
      if (value === undefined) throw refuse(`the parameter ${name} of its layer ${index + 1} is not there`)
      return value
    })
    const fields = new Map<string, MatValue>([...block, ['weights', { kind: 'cell', items: weights }]])
    const pool = block.get('poolSize')
    if (pool !== undefined) fields.set('pool', pool)
    return {
      name: textOf(layer.get('name')) || `layer${index + 1}`,
      type: TYPES[written] ?? written,
      fields,
      inputs: namesIn(layer.get('inputs')),
      outputs: namesIn(layer.get('outputs')),
    }
  })
}

/** A cell of names; one name may stand alone. */
function namesIn(value: MatValue | undefined): string[] {
  const text = textOf(value)
  return text === undefined ? textsOf(value) : [text]
}

/**
 * Adds all layers that can be computed from the picture.
 * @param refuse makes the error for a graph that is none
 */
export function assembleDag(
  assembly: NetworkAssembly,
  layers: readonly DagLayer[],
  input: LayerOutput,
  refuse: (reason: string) => Error,
): void {
  const used = layers.filter((layer) => !isEnd(layer))
  const ordered = inOrder(used, refuse)
  const free = placelessAbove(ordered)
  const outputs = new Map<string, LayerOutput>([[inputOf(used, refuse), input]])
  for (const layer of ordered) {
    const below = layer.inputs.flatMap((name) => outputs.get(name) ?? [])
    // What stands above an unsupported layer cannot be computed.
    if (below.length < layer.inputs.length) continue
    try {
      if (layer.outputs.length !== 1) throw new UnsupportedOperator(`it has ${layer.outputs.length} outputs`)
      outputs.set(layer.outputs[0] ?? '', added(assembly, layer, below, free.has(layer)))
    } catch (error) {
      if (!(error instanceof UnsupportedOperator)) throw error
      assembly.unsupported(layer.name, layer.type, error.message)
    }
  }
}

function added(
  assembly: NetworkAssembly,
  layer: DagLayer,
  below: readonly LayerOutput[],
  isFree: boolean,
): LayerOutput {
  const [first] = below
  if (first === undefined) throw assembly.damaged(layer.name, 'it has no input')
  if (layer.type === 'dagnn.Sum') return assembly.add(layer.name, { type: 'add' }, below)
  if (layer.type === 'dagnn.Concat') {
    const [axis = 3] = settingsOf(layer.fields.get('dim'))
    if (axis !== 3) throw new UnsupportedOperator(`it joins along axis ${axis}, not channels`)
    return assembly.add(layer.name, { type: 'concat' }, below)
  }
  if (below.length > 1) throw new UnsupportedOperator(`it has ${below.length} inputs`)
  return addMatLayer(assembly, layer, first, isFree)
}

/** The variable that no layer gives. */
function inputOf(layers: readonly DagLayer[], refuse: (reason: string) => Error): string {
  const given = new Set(layers.flatMap(({ outputs }) => outputs))
  const open = [...new Set(layers.flatMap(({ inputs }) => inputs))].filter((name) => !given.has(name))
  const [first] = open
  if (first === undefined) throw refuse('none of its variables is an input')
  if (open.length > 1) throw refuse(`it has more than one input: ${open.join(', ')}`)
  return first
}

/** Every layer after those that feed it. */
function inOrder(layers: readonly DagLayer[], refuse: (reason: string) => Error): DagLayer[] {
  const given = new Set(layers.flatMap(({ outputs }) => outputs))
  const ready = new Set<string>()
  const ordered: DagLayer[] = []
  let left = layers
  while (left.length > 0) {
    const later = left.filter((layer) => {
      if (layer.inputs.some((name) => given.has(name) && !ready.has(name))) return true
      for (const name of layer.outputs) ready.add(name)
      ordered.push(layer)
      return false
    })
    if (later.length === left.length) throw refuse(`its layers feed one another in a circle (${later[0]?.name ?? ''})`)
    left = later
  }
  return ordered
}

/** Layers above which everything works on one place as on a picture: only there a convolution over everything becomes dense. */
function placelessAbove(ordered: readonly DagLayer[]): Set<DagLayer> {
  const free = new Set<DagLayer>()
  const needsPlaces = new Set<string>()
  for (const layer of ordered.toReversed()) {
    const isFree = layer.outputs.every((name) => !needsPlaces.has(name))
    if (isFree) free.add(layer)
    if (!isFree || !keepsPlaceless(layer)) for (const name of layer.inputs) needsPlaces.add(name)
  }
  return free
}
