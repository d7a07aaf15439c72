/** PyTorch: state dictionaries and training checkpoints, with a known architecture. */
import { ConvScopeError } from '../../../shared/errors.ts'
import type { Importer } from '../imported-network.ts'
import { bindWeights, type StoredTensor } from '../weights-only/bind-weights.ts'
import { isTorchFile, readTorchFile } from './torch-file.ts'
import { EXPORT_ONNX } from './torch-globals.ts'
import { TorchTensor } from './torch-tensor.ts'

/** Under which checkpoints keep the state dictionary, the likeliest first. */
const STATE_KEYS = [
  'state_dict',
  'model_state_dict',
  'model',
  'net',
  'network',
  'module',
  'weights',
  'params',
  'ema',
  'model_ema',
]

export const pytorch: Importer = {
  format: 'PyTorch',
  recognises: (files) => files.length === 1 && files.every(isTorchFile),
  read: (files, options) =>
    Promise.resolve().then(() => {
      const [file] = files
      if (file === undefined) throw new RangeError('a PyTorch file is needed')
      const { entries, nested } = stateOf(readTorchFile(file), new Set()) ?? {}
      if (entries === undefined) {
        throw new ConvScopeError('invalid-input', `${file.name} holds no tensors.`, {
          remedy: 'In Python, save the weights: torch.save(model.state_dict(), "weights.pth").',
        })
      }
      const stored = [...entries].flatMap(([name, tensor]): StoredTensor[] =>
        tensor instanceof TorchTensor
          ? [{ name: String(name), shape: tensor.shape, values: () => tensor.values() }]
          : [],
      )
      const imported = bindWeights(stored, {
        source: file.name,
        format: 'PyTorch',
        options,
        inOrder: true,
        remedy: EXPORT_ONNX,
      })
      if (nested === undefined) return imported
      const message = `The weights are those of the entry ${nested}; the rest of the checkpoint is not used.`
      return { ...imported, findings: [...imported.findings, { code: 'checkpoint-entry', severity: 'note', message }] }
    }),
}

interface State {
  readonly entries: ReadonlyMap<unknown, unknown>
  /** Where in the file; undefined at the top. */
  readonly nested?: string
}

/** The dictionary whose values are tensors: under a usual name, at the top, or under any other name. */
function stateOf(value: unknown, seen: Set<unknown>): State | undefined {
  // A hostile file may hold one dictionary many times over, or in itself.
  if (!(value instanceof Map) || seen.has(value)) return undefined
  seen.add(value)
  const below = (key: unknown): State | undefined => {
    const found = stateOf(value.get(key), seen)
    const path = found?.nested === undefined ? String(key) : `${String(key)}.${found.nested}`
    return found === undefined ? undefined : { entries: found.entries, nested: path }
  }
  for (const key of STATE_KEYS) {
    const found = value.has(key) ? below(key) : undefined
    if (found !== undefined) return found
  }
  if ([...value.values()].some((entry) => entry instanceof TorchTensor)) return { entries: value }
  // An optimiser's state is made of tensors, too, and is not the network.
  const others = [...value.keys()].filter((key) => !/optim|sched|scaler/i.test(String(key)))
  for (const key of others) {
    const found = below(key)
    if (found !== undefined) return found
  }
  return undefined
}
