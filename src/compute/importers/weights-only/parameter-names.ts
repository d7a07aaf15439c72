/** How other programs call parameters: `features.0.weight`, `conv1/kernel:0`, `conv1_kernel`. */
import type { StoredTensor } from './bind-weights.ts'

/** In the words of torch (`weight`, kernels out × in), or of ConvScope, Keras and NumPy (`kernel`, kernels in × out). */
export type Layout = 'torch' | 'convscope'

/** The tensors of one layer, by their word. */
export interface StoredModule {
  readonly name: string
  readonly parameters: ReadonlyMap<string, StoredTensor>
}

/** Words for ConvScope's parameters, the commonest first. */
export const WORDS: Readonly<Record<string, readonly string[]>> = {
  kernel: ['kernel', 'weight', 'depthwise_kernel', 'weights', 'w'],
  bias: ['bias', 'biases', 'b'],
  scale: ['scale', 'weight', 'gamma'],
  shift: ['shift', 'bias', 'beta'],
  mean: ['mean', 'running_mean', 'moving_mean'],
  variance: ['variance', 'running_var', 'moving_variance'],
}
/** Longest first, so that `moving_mean` is not read as `mean` of the layer `x_moving`. */
const KNOWN_WORDS = [...new Set(Object.values(WORDS).flat())].sort((a, b) => b.length - a.length)
/** Counters that no computation needs. */
const UNUSED = /(^|[./])(num_batches_tracked|seed_generator_state)$/
/** What wrappers put before every name. */
const WRAPPERS = ['module.', '_orig_mod.', 'model.', 'net.', 'network.']

/** Tensors grouped by layer, in the order of their first parameter. */
export function modulesOf(stored: readonly StoredTensor[]): StoredModule[] {
  const kept = stored.filter(({ name }) => !UNUSED.test(name))
  const modules = new Map<string, Map<string, StoredTensor>>()
  for (const tensor of kept) {
    const { module, word } = splitName(tensor.name)
    const parameters = modules.get(module) ?? new Map<string, StoredTensor>()
    parameters.set(word, tensor)
    modules.set(module, parameters)
  }
  return [...modules].map(([name, parameters]) => ({ name, parameters }))
}

/** The names without what a wrapper put before all of them, as far as that is one of the usual words. */
export function unwrapped(stored: readonly StoredTensor[]): readonly StoredTensor[] {
  const prefix = WRAPPERS.find(
    (candidate) => stored.length > 0 && stored.every(({ name }) => name.startsWith(candidate)),
  )
  if (prefix === undefined) return stored
  return unwrapped(stored.map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) })))
}

/** The parameter of a module that ConvScope calls `parameter`. */
export function parameterOf(module: StoredModule, parameter: string): StoredTensor | undefined {
  for (const word of WORDS[parameter] ?? []) {
    const tensor = module.parameters.get(word)
    if (tensor !== undefined) return tensor
  }
  return undefined
}

/** The layouts that kernels of these names may have, the likelier first. */
export function layoutsOf(modules: readonly StoredModule[]): readonly Layout[] {
  const says = (words: readonly string[]) => modules.some((module) => words.some((word) => module.parameters.has(word)))
  return says(['weight', 'running_mean']) && !says(['kernel']) ? ['torch', 'convscope'] : ['convscope', 'torch']
}

function splitName(written: string): { module: string; word: string } {
  // Keras 2 ends its names in ':0'.
  const name = written.replace(/:\d+$/, '')
  const word = KNOWN_WORDS.find((candidate) => name === candidate || new RegExp(`[./_]${candidate}$`).test(name))
  if (word === undefined) return { module: name, word: '' }
  const module = name.slice(0, Math.max(name.length - word.length - 1, 0))
  // Keras 2 says the layer twice: conv1/conv1/kernel:0.
  const [first, second, ...rest] = module.split('/')
  return { module: first === second && rest.length === 0 ? (first ?? '') : module, word }
}
