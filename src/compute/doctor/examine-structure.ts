/** What the layers of a network and its class list say about how it was meant, without looking at weights or pictures. */
import { action } from '../../shared/actions.ts'
import type { Finding } from '../../shared/network/finding.ts'
import type { Graph, GraphLayer } from '../network/graph.ts'
import { mapShape } from '../network/layer.ts'
import { windowsOf, type AxisWindows } from '../network/windows.ts'
import { listed, plural } from './wording.ts'

/** Up to here, alpha is taken to be divided by the size already: MatConvNet's 2e-5 for the usual 1e-4 of 5 channels. */
const DIVIDED_ALPHA = 3e-5

/** Class list, softmax, groups, rounding of poolings, conventions of local response normalisation. */
export function examineStructure(graph: Graph): Finding[] {
  return [...classList(graph), ...softmax(graph), ...groups(graph), ...poolRounding(graph), ...normalisation(graph)]
}

function classList({ spec, output }: Graph): Finding[] {
  const outputs = output.shape.at(-1) ?? 0
  const { classes } = spec
  if (classes.length === 0) {
    if (output.shape.length > 1 && output.shape[0] !== 1) return []
    return [
      {
        code: 'no-class-names',
        severity: 'note',
        message: `The network has ${plural(outputs, 'output')} and no class names: classes are shown as numbers.`,
        remedy: action('name-classes'),
      },
    ]
  }
  const repeated = classes.filter((name, index) => classes.indexOf(name) !== index)
  const findings: Finding[] = []
  if (classes.length !== outputs) {
    findings.push({
      code: 'class-count',
      severity: 'warning',
      message: `There are ${plural(classes.length, 'class name')} for ${plural(outputs, 'output')}: names and outputs do not belong together.`,
      remedy: action('name-classes'),
    })
  }
  if (repeated.length > 0) {
    findings.push({
      code: 'class-repeated',
      severity: 'note',
      message: `Some class names occur more than once: ${listed([...new Set(repeated)])}.`,
    })
  }
  return findings
}

function softmax(graph: Graph): Finding[] {
  const { layers, output } = graph
  const doubled = layers.filter(
    (layer) => layer.spec.type === 'softmax' && sourceOf(graph, layer)?.spec.type === 'softmax',
  )
  const findings: Finding[] = doubled.map(({ name }) => ({
    code: 'softmax-doubled',
    severity: 'warning',
    layer: name,
    message: `${name} is a softmax of a softmax: its probabilities are nearly equal for all classes.`,
    remedy: 'Export the network without its last softmax, or look at the layer before it.',
  }))
  if (['dense', 'conv2d', 'global-avg-pool'].includes(output.spec.type)) {
    findings.push({
      code: 'softmax-missing',
      severity: 'note',
      layer: output.name,
      message: `The network ends in ${output.name} without a softmax: its outputs are scores, and probabilities are computed from them by a softmax.`,
    })
  }
  return findings
}

/** The layer that gives a layer its values, past those that only pass them on. */
function sourceOf({ byName }: Pick<Graph, 'byName'>, layer: GraphLayer): GraphLayer | undefined {
  const below = byName.get(layer.inputs[0] ?? '')
  const passes = below?.spec.type === 'flatten' || below?.spec.type === 'dropout'
  return below !== undefined && passes ? sourceOf({ byName }, below) : below
}

function groups({ layers }: Graph): Finding[] {
  const grouped = layers.filter(
    ({ spec, inputShapes }) => spec.type === 'conv2d' && spec.groups > 1 && spec.groups !== inputShapes[0]?.[2],
  )
  if (grouped.length === 0) return []
  const rows = grouped.map(({ name, spec }) => `${name} (${spec.type === 'conv2d' ? spec.groups : 1})`)
  return [
    {
      code: 'grouped-convolutions',
      severity: 'note',
      message: `Filters see only their own group of channels in ${listed(rows)}.`,
    },
  ]
}

function poolRounding({ layers }: Graph): Finding[] {
  return layers.flatMap(({ name, spec, inputShapes }): Finding[] => {
    if ((spec.type !== 'max-pool' && spec.type !== 'avg-pool') || spec.rounding !== 'floor' || spec.padding === 'same')
      return []
    const [height, width] = mapShape(inputShapes)
    const { rows, columns } = windowsOf(spec, height, width)
    const [lostRows, lostColumns] = [unread(rows), unread(columns)]
    if (lostRows + lostColumns === 0) return []
    return [
      {
        code: 'pooling-leaves-out',
        severity: 'note',
        layer: name,
        message: `${name} does not read the last ${plural(Math.max(lostRows, lostColumns), 'row')} or column of its ${height}×${width} input, because its size is rounded down. Caffe rounds up.`,
        remedy: `Weights from Caffe need the rounding "ceil". ${action('change-layers')}`,
      },
    ]
  })
}

/** Cells at the end that no window reads. */
function unread({ input, output, kernel, stride, before }: AxisWindows): number {
  return Math.max(input - ((output - 1) * stride - before + kernel), 0)
}

function normalisation({ layers }: Graph): Finding[] {
  return layers.flatMap(({ name, spec }): Finding[] => {
    if (spec.type !== 'lrn') return []
    const { alpha, size, convention, k } = spec
    const other = convention === 'caffe' ? 'krizhevsky' : 'caffe'
    const suspicious =
      convention === 'caffe' ? Math.abs(alpha) <= DIVIDED_ALPHA : Math.abs(alpha) > DIVIDED_ALPHA && k === 1
    if (!suspicious) return []
    const reason =
      convention === 'caffe'
        ? `alpha ${alpha} is divided by the ${size} channels of the window, and looks as if it were divided already`
        : `alpha ${alpha} with k 1 is not divided by the ${size} channels of the window, and looks like a value of Caffe, which divides it`
    return [
      {
        code: 'lrn-convention',
        severity: 'note',
        layer: name,
        message: `${name}: ${reason}.`,
        remedy: `Compare with activations of the source program; if they differ here, use the convention ${other}.`,
      },
    ]
  })
}
