/** The Python names that a state dictionary may contain, each with what it stands for. Nothing else is made, and nothing is executed. */
import { ConvScopeError } from '../../../shared/errors.ts'
import type { ElementType } from '../../files/element-types.ts'
import type { PickleGlobal } from '../../files/pickle.ts'
import { TorchStorage, TorchTensor } from './torch-tensor.ts'

/** What `--architecture` cannot help with: the way that always works. */
export const EXPORT_ONNX =
  'In Python, export it with its layers: torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), "model.onnx", opset_version=17)'
const SAVE_STATE = 'In Python, save the weights alone: torch.save(model.state_dict(), "weights.pth").'

const STORAGES: Readonly<Record<string, ElementType>> = {
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
}
const DTYPES: Readonly<Record<string, ElementType>> = {
  float32: 'float32',
  float: 'float32',
  float64: 'float64',
  double: 'float64',
  float16: 'float16',
  half: 'float16',
  bfloat16: 'bfloat16',
  int64: 'int64',
  long: 'int64',
  int32: 'int32',
  int16: 'int16',
  int8: 'int8',
  uint8: 'uint8',
  bool: 'bool',
}
/** Modules whose functions run programs, touch files or the network, or evaluate text. */
const HOSTILE =
  /^(posix|nt|os|sys|subprocess|builtins|__builtin__|shutil|socket|runpy|pty|importlib|webbrowser|pickle|marshal|types|operator|functools|code|ctypes|multiprocessing|asyncio|urllib|http|requests|pip|tempfile|pathlib|io|timeit|pdb|bdb|cProfile|torch\.hub|torch\.utils\.cpp_extension|torch\.jit|torch\._dynamo)(\.|$)/

/** A name that is only a value, such as `torch.float32` or `torch.FloatStorage`. */
export interface TorchType extends PickleGlobal {
  readonly element?: ElementType
  readonly untyped?: boolean
}

/** Numbers of NumPy, dates and the like: there, but of no use here. */
class Inert {
  readonly title: string
  constructor(title: string) {
    this.title = title
  }
}

/**
 * The table of allowed names.
 * @param source what the messages call the file
 * @returns a lookup that throws ConvScopeError 'unsupported' for any other name
 */
export function torchGlobals(source: string): (module: string, name: string) => TorchType {
  const table = allowed(source)
  return (module, name) => {
    const title = `${module}.${name}`
    const type = typeGlobal(module, name)
    if (type !== undefined) return type
    const call = Object.hasOwn(table, title) ? table[title] : undefined
    if (call !== undefined) return { module, name, call }
    if (HOSTILE.test(module)) {
      throw new ConvScopeError(
        'unsupported',
        `${source} is possibly hostile: opening it in Python would call ${title}. It was not opened, and nothing was executed.`,
        {
          remedy:
            'Do not open it in other programs; get the weights from a source that you trust, best as .safetensors.',
        },
      )
    }
    throw new ConvScopeError(
      'unsupported',
      `${source} holds a Python object of the class ${title}, as a whole pickled model does; only weights are read, and nothing is executed.`,
      { remedy: `${SAVE_STATE} ${EXPORT_ONNX}` },
    )
  }
}

function typeGlobal(module: string, name: string): TorchType | undefined {
  const storage = Object.hasOwn(STORAGES, name) ? STORAGES[name] : undefined
  if ((module === 'torch' || module === 'torch.cuda' || module === 'torch.storage') && storage !== undefined)
    return { module, name, element: storage }
  if (module === 'torch.storage' && name === 'UntypedStorage') return { module, name, untyped: true }
  const element = Object.hasOwn(DTYPES, name) ? DTYPES[name] : undefined
  return module === 'torch' && element !== undefined ? { module, name, element } : undefined
}

function allowed(source: string): Readonly<Record<string, NonNullable<PickleGlobal['call']>>> {
  const inert = (title: string) => () => new Inert(title)
  const map = () => new Map<unknown, unknown>()
  const scalar: NonNullable<PickleGlobal['call']> = ([, value]) =>
    value instanceof Uint8Array ? new Inert('scalar') : value
  const array = inert('numpy.ndarray')
  const firstArgument: NonNullable<PickleGlobal['call']> = ([data]) => data
  return {
    'collections.OrderedDict': ([items]) => new Map(Array.isArray(items) ? items.filter(isPair) : []),
    'collections.defaultdict': map,
    'collections.Counter': map,
    'argparse.Namespace': map,
    'builtins.set': ([items]) => new Set(Array.isArray(items) ? items : []),
    '__builtin__.set': ([items]) => new Set(Array.isArray(items) ? items : []),
    'builtins.dict': map,
    'builtins.list': () => [],
    'builtins.bytearray': inert('bytearray'),
    '_codecs.encode': ([text]) =>
      typeof text === 'string' ? Uint8Array.from(text, (letter) => letter.charCodeAt(0)) : text,
    'torch.Size': ([sizes]) => sizes ?? [],
    'torch.device': ([name]) => name ?? '',
    'torch._utils._rebuild_tensor': (args) => tensorOf(source, args),
    'torch._utils._rebuild_tensor_v2': (args) => tensorOf(source, args),
    'torch._utils._rebuild_tensor_v3': (args) => tensorOf(source, args, args[6]),
    'torch._utils._rebuild_parameter': firstArgument,
    'torch._utils._rebuild_parameter_with_state': firstArgument,
    'torch._tensor._rebuild_from_type_v2': ([make, , args]) => rebuilt(source, make, args),
    'torch.serialization._get_layout': inert('layout'),
    'numpy.dtype': inert('numpy.dtype'),
    'numpy.ndarray': array,
    'numpy.core.multiarray.scalar': scalar,
    'numpy._core.multiarray.scalar': scalar,
    'numpy.core.multiarray._reconstruct': array,
    'numpy._core.multiarray._reconstruct': array,
    'datetime.datetime': inert('datetime'),
  }
}

function tensorOf(source: string, args: readonly unknown[], dtype?: unknown): TorchTensor {
  const [storage, offset, shape, strides] = args
  const said = isType(dtype) ? dtype.element : undefined
  const type = storage instanceof TorchStorage ? (said ?? storage.type) : undefined
  if (
    !(storage instanceof TorchStorage) ||
    type === undefined ||
    typeof offset !== 'number' ||
    !isSizes(shape) ||
    !isSizes(strides)
  ) {
    throw new ConvScopeError(
      'damaged',
      `${source} cannot be read: a tensor in it is not made of storage, offset, size and strides.`,
      {
        remedy: 'Copy, download or save the file again.',
      },
    )
  }
  return new TorchTensor({ storage, offset, shape, strides, type }, source)
}

/** A subclass of Tensor, made by another function of this table. */
function rebuilt(source: string, make: unknown, args: unknown): unknown {
  if (isType(make) && make.call !== undefined && Array.isArray(args) && make.name.startsWith('_rebuild_tensor'))
    return make.call(args)
  throw new ConvScopeError('damaged', `${source} cannot be read: a tensor in it is made in an unknown way.`, {
    remedy: SAVE_STATE,
  })
}

export function isType(value: unknown): value is TorchType {
  return typeof value === 'object' && value !== null && 'module' in value && 'name' in value
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => typeof size === 'number')
}

function isPair(item: unknown): item is [unknown, unknown] {
  return Array.isArray(item) && item.length === 2
}
