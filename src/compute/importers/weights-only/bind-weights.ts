/** Files that hold only weights: which tensor belongs to which layer of an architecture, by names first, by order where names differ. */
import { action } from '../../../shared/actions.ts'
import { ConvScopeError } from '../../../shared/errors.ts'
import type { Finding } from '../../../shared/network/finding.ts'
import { MEAN_IMAGE_TENSOR, type NetworkSpec } from '../../../shared/network/spec.ts'
import { knownArchitectures, type KnownArchitecture } from '../../network/architectures/index.ts'
import { buildGraph, type Graph, type GraphLayer } from '../../network/graph.ts'
import type { ImportedNetwork, ImportedTensor, ImportOptions } from '../imported-network.ts'
import { inLayout } from './layouts.ts'
import { layoutsOf, modulesOf, parameterOf, unwrapped, type Layout, type StoredModule } from './parameter-names.ts'

/** A tensor of the file, under its own name. */
export interface StoredTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** Row-major; read anew at every call. */
  readonly values: () => Float32Array
  /** The order in which the file's program flattens maps, where it has one of its own: kernels of dense layers go by it. */
  readonly flattened?: 'hwc'
}

export interface BindOptions {
  /** What the messages call the file. */
  readonly source: string
  readonly format: string
  readonly options: ImportOptions
  /** Whether the tensors come in the order in which the layers were made, as in PyTorch's files. */
  readonly inOrder: boolean
  /** What else can be done where the layers are not known. */
  readonly remedy: string
}

interface Binding {
  readonly tensors: Map<string, ImportedTensor>
  readonly findings: readonly Finding[]
  /** Names of modules that belong to no layer. */
  readonly unused: readonly string[]
}

/**
 * A network of `options.architecture`, or of the one known architecture that the names and shapes fit.
 * @throws ConvScopeError 'unsupported' where no architecture is known, 'invalid-input' where several fit or the given one does not
 */
export function bindWeights(stored: readonly StoredTensor[], options: BindOptions): ImportedNetwork {
  const { architecture, name } = options.options
  const subtractsPicture = architecture?.preprocessing.meanImage !== undefined
  const meanImage = subtractsPicture ? stored.find((tensor) => tensor.name === MEAN_IMAGE_TENSOR) : undefined
  const modules = modulesOf(unwrapped(stored.filter((tensor) => tensor !== meanImage)))
  if (architecture === undefined) return recognised(modules, options)
  const known = knownArchitectures.find((candidate) => candidate.name === architecture.name)
  const binding = bind(buildGraph(architecture), modules, known, options)
  if (typeof binding === 'string') {
    throw new ConvScopeError(
      'invalid-input',
      `The weights in ${options.source} do not fit the architecture ${architecture.name}: ${binding}.`,
      { remedy: `${action('name-architecture')} ${options.remedy}` },
    )
  }
  const imported = networkOf({ ...architecture, name }, binding, options.source)
  return subtractsPicture ? withMeanPicture(imported, meanImage, options.source) : imported
}

/** With the mean picture of the file; where it has none, its layers' pipeline goes on with the averages of the channels. */
function withMeanPicture(imported: ImportedNetwork, image: StoredTensor | undefined, source: string): ImportedNetwork {
  if (image !== undefined) {
    const { shape, values } = image
    return { ...imported, tensors: new Map([...imported.tensors, [MEAN_IMAGE_TENSOR, { shape, values }]]) }
  }
  const preprocessing = { ...imported.spec.preprocessing }
  delete preprocessing.meanImage
  const finding: Finding = {
    code: 'mean-picture-missing',
    severity: 'warning',
    message: `${source} holds no mean picture, which the architecture subtracts: the averages of its channels are subtracted in its place.`,
    remedy:
      'Expect small differences from the source program, or import the network from files that hold its mean picture.',
  }
  return { ...imported, spec: { ...imported.spec, preprocessing }, findings: [...imported.findings, finding] }
}

function networkOf(spec: NetworkSpec, { tensors, findings, unused }: Binding, source: string): ImportedNetwork {
  if (unused.length === 0) return { spec, tensors, findings }
  const shown = `${unused.slice(0, 5).join(', ')}${unused.length > 5 ? ', …' : ''}`
  const message = `${unused.length} entries of ${source} belong to no layer and are not used: ${shown}.`
  const remedy = 'Check that the architecture is the one that the weights were trained in.'
  return { spec, tensors, findings: [...findings, { code: 'unused-weights', severity: 'warning', message, remedy }] }
}

function recognised(modules: readonly StoredModule[], options: BindOptions): ImportedNetwork {
  const fitting = knownArchitectures.flatMap((known) => {
    const spec = specFor(known, modules)
    const binding = spec === undefined ? undefined : bindByName(buildGraph(spec), modules, known)
    return spec === undefined || binding === undefined || typeof binding === 'string' || binding.unused.length > 0
      ? []
      : [{ spec, binding, known }]
  })
  const [first, ...others] = fitting
  const names = knownArchitectures.map((known) => known.name).join(', ')
  if (first === undefined) {
    throw new ConvScopeError(
      'unsupported',
      `${options.source} holds weights without layers, and they fit no known architecture (the first entry is ${modules[0]?.name ?? 'missing'}).`,
      {
        remedy: `${action('name-architecture')} Known are ${names}. ${options.remedy}`,
      },
    )
  }
  if (others.length > 0) {
    const fit = fitting.map(({ known }) => known.name).join(', ')
    throw new ConvScopeError('invalid-input', `The weights in ${options.source} fit several architectures: ${fit}.`, {
      remedy: 'Say which of them they belong to.',
    })
  }
  const message = `The file has no layers; its names and shapes are those of ${first.known.title}.`
  const finding: Finding = { code: 'recognised-architecture', severity: 'note', message }
  const imported = networkOf({ ...first.spec, name: options.options.name }, first.binding, options.source)
  return { ...imported, findings: [...imported.findings, finding] }
}

/** The architecture with as many classes as the bias of its last layer has values. */
function specFor(known: KnownArchitecture, modules: readonly StoredModule[]): NetworkSpec | undefined {
  const graph = buildGraph(known.spec())
  const last = graph.layers.findLast((layer) => layer.parameters.length > 0)
  const module = last === undefined ? undefined : moduleOf(last, byName(modules), known)
  const outputs = module === undefined ? undefined : parameterOf(module, 'bias')?.shape[0]
  if (outputs === undefined) return undefined
  if (outputs === last?.shape.at(-1)) return graph.spec
  try {
    return known.spec({ classes: outputs })
  } catch (error) {
    if (error instanceof ConvScopeError) return undefined
    throw error
  }
}

function bind(
  graph: Graph,
  modules: readonly StoredModule[],
  known: KnownArchitecture | undefined,
  options: BindOptions,
): Binding | string {
  const binding = bindByName(graph, modules, known)
  if (typeof binding !== 'string') return binding
  const names = byName(modules)
  const isNamed = withParameters(graph).some((layer) => moduleOf(layer, names, known) !== undefined)
  return isNamed ? binding : bindByOrder(graph, modules, options.inOrder)
}

/** A binding, or the reason why there is none. */
function bindByName(graph: Graph, modules: readonly StoredModule[], known?: KnownArchitecture): Binding | string {
  const names = byName(modules)
  const chosen = new Map<string, StoredModule>()
  for (const layer of withParameters(graph)) {
    const module = moduleOf(layer, names, known)
    if (module === undefined) return `there is no entry for the layer ${layer.name}`
    chosen.set(layer.name, module)
  }
  const used = new Set(chosen.values())
  const unused = modules
    .filter((module) => !used.has(module))
    .map((module) => module.name)
    .filter((name) => known?.torchIgnored?.some((prefix) => name.startsWith(prefix)) !== true)
  const tensors = inEitherLayout(graph, chosen, layoutsOf(modules))
  return typeof tensors === 'string' ? tensors : { ...tensors, unused }
}

/** Layer after layer, where there are as many entries as layers and every shape fits. */
function bindByOrder(graph: Graph, modules: readonly StoredModule[], inOrder: boolean): Binding | string {
  const layers = withParameters(graph)
  if (layers.length !== modules.length)
    return `no name fits a layer, and there are ${modules.length} entries for ${layers.length} layers with weights`
  const collator = new Intl.Collator('en', { numeric: true })
  const ordered = inOrder ? modules : modules.toSorted((a, b) => collator.compare(a.name, b.name))
  const chosen = new Map(layers.map((layer, index) => [layer.name, ordered[index] as StoredModule]))
  const signatures = ordered.map(({ parameters }) =>
    [...parameters.values()].map(({ shape }) => shape.join('×')).join(),
  )
  if (!inOrder && new Set(signatures).size < signatures.length)
    return 'no name fits a layer, and several entries have the same shape: which is which cannot be told'
  const tensors = inEitherLayout(graph, chosen, layoutsOf(modules))
  if (typeof tensors === 'string') return `no name fits a layer, and in their order ${tensors}`
  const message = 'No name in the file is that of a layer; the entries were given to the layers in their order.'
  const remedy = 'Compare a classification with that of the source program.'
  const finding: Finding = { code: 'bound-by-order', severity: 'warning', message, remedy }
  return { tensors: tensors.tensors, findings: [...tensors.findings, finding], unused: [] }
}

function inEitherLayout(
  graph: Graph,
  chosen: ReadonlyMap<string, StoredModule>,
  [expected = 'convscope', other = 'torch']: readonly Layout[],
): Omit<Binding, 'unused'> | string {
  const tensors = inOneLayout(graph, chosen, expected)
  if (typeof tensors !== 'string') return { tensors, findings: [] }
  const others = inOneLayout(graph, chosen, other)
  if (typeof others === 'string') return tensors
  const message = `The names are those of ${TITLES[expected]}, and the shapes those of ${TITLES[other]}: they were read as the latter.`
  return { tensors: others, findings: [{ code: 'unusual-layout', severity: 'warning', message }] }
}

const TITLES: Readonly<Record<Layout, string>> = { torch: 'PyTorch', convscope: 'ConvScope or Keras' }

function inOneLayout(
  graph: Graph,
  chosen: ReadonlyMap<string, StoredModule>,
  layout: Layout,
): Map<string, ImportedTensor> | string {
  const tensors = new Map<string, ImportedTensor>()
  for (const layer of withParameters(graph)) {
    for (const { name, shape } of layer.parameters) {
      const module = chosen.get(layer.name)
      const stored = module === undefined ? undefined : parameterOf(module, name)
      if (stored === undefined)
        return `${module?.name ?? layer.name} has no ${name}, which the layer ${layer.name} needs`
      const tensor = inLayout(graph, layer, name, shape, stored, layout)
      if (tensor === undefined)
        return `${stored.name} has the shape [${stored.shape.join(', ')}], and ${layer.name}/${name} is [${shape.join(', ')}]`
      tensors.set(`${layer.name}/${name}`, tensor)
    }
  }
  return tensors
}

function moduleOf(
  layer: GraphLayer,
  names: ReadonlyMap<string, StoredModule>,
  known: KnownArchitecture | undefined,
): StoredModule | undefined {
  const torchName = known?.torchNames?.[layer.name]
  return (torchName === undefined ? undefined : names.get(torchName)) ?? names.get(layer.name)
}

function byName(modules: readonly StoredModule[]): ReadonlyMap<string, StoredModule> {
  return new Map(modules.map((module) => [module.name, module]))
}

function withParameters(graph: Graph): GraphLayer[] {
  return graph.layers.filter((layer) => layer.parameters.length > 0)
}
