/** TensorFlow.js layers models: `model.json` and the shards of its weights, also quantised ones. */
import * as z from 'zod'
import { ConvScopeError } from '../../../shared/errors.ts'
import { sizeOf } from '../../../shared/size-of.ts'
import { BYTES_OF_TYPE, toFloat32, type ElementType } from '../../files/element-types.ts'
import type { SourceFile } from '../../files/source-file.ts'
import type { ImportedTensor, Importer } from '../imported-network.ts'
import { buildKerasNetwork } from '../keras/build.ts'
import type { KerasWeights } from '../keras/layers.ts'
import { readTopology, type KerasLayer } from '../keras/topology.ts'

const MAX_JSON_BYTES = 64 * 2 ** 20
const HEAD_BYTES = 4096

const size = z.number().int().nonnegative()
const Quantisation = z.object({
  dtype: z.enum(['uint8', 'uint16', 'float16']),
  scale: z.number().optional(),
  min: z.number().optional(),
})
const Entry = z.object({
  name: z.string(),
  shape: z.array(size).max(16),
  dtype: z.enum(['float32', 'int32', 'bool', 'uint8', 'uint16', 'float16']),
  quantization: Quantisation.optional(),
})
const Manifest = z.array(z.object({ paths: z.array(z.string()).min(1), weights: z.array(Entry) }))
const Model = z.object({ format: z.string().optional(), modelTopology: z.unknown(), weightsManifest: Manifest })

export const tfjsLayers: Importer = {
  format: 'TensorFlow.js',
  recognises: (files) => modelJsonOf(files) !== undefined,
  read: (files, options) =>
    Promise.resolve().then(() => {
      const json = modelJsonOf(files)
      if (json === undefined) {
        throw new ConvScopeError(
          'damaged',
          `${files.map(({ name }) => name).join(', ')}: none of them is a model.json.`,
          {
            remedy: 'Choose model.json together with all of its .bin files.',
          },
        )
      }
      const { format, modelTopology, weightsManifest } = modelIn(json)
      if (format === 'graph-model') {
        throw new ConvScopeError('unsupported', `${json.name} is a frozen TensorFlow graph, not a model of layers.`, {
          remedy: 'Convert the Keras model with --output_format=tfjs_layers_model, or give the Keras file itself.',
        })
      }
      // Keras writes { keras_version, model_config: { class_name, config } }; the library itself leaves the middle out.
      const written = z.object({ model_config: z.unknown() }).safeParse(modelTopology)
      const model =
        written.success && written.data.model_config !== undefined ? written.data.model_config : modelTopology
      const tensors = tensorsOf(weightsManifest, files, json)
      const weights = ({ own, within }: Pick<KerasLayer, 'own' | 'within'>): KerasWeights =>
        tensors.get([...within.map(({ name }) => name), own].join('/')) ?? tensors.get(own) ?? {}
      return buildKerasNetwork({ source: json.name, topology: readTopology(model, json.name), weights }, options)
    }),
}

function modelJsonOf(files: readonly SourceFile[]): SourceFile | undefined {
  return files.find((file) => {
    if (!/\.json$/i.test(file.name) || file.size > MAX_JSON_BYTES) return false
    const head = new TextDecoder().decode(file.read(0, Math.min(file.size, HEAD_BYTES)))
    return /"(modelTopology|weightsManifest)"/.test(head)
  })
}

function modelIn(json: SourceFile): z.infer<typeof Model> {
  const refuse = (reason: string): ConvScopeError =>
    new ConvScopeError('damaged', `${json.name} cannot be read: ${reason}.`, {
      remedy: 'Copy, download or export the model again.',
    })
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder().decode(json.read(0, json.size)))
  } catch (error) {
    throw refuse(`it is not JSON (${error instanceof Error ? error.message : String(error)})`)
  }
  const model = Model.safeParse(parsed)
  if (model.success) return model.data
  const [issue] = model.error.issues
  throw refuse(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a model'}`)
}

/** Tensors by layer and word. */
function tensorsOf(
  manifest: z.infer<typeof Manifest>,
  files: readonly SourceFile[],
  json: SourceFile,
): ReadonlyMap<string, KerasWeights> {
  const layers = new Map<string, Record<string, ImportedTensor>>()
  for (const group of manifest) {
    const shards = joined(group.paths.map((path) => shardOf(path, files, json)))
    let offset = 0
    for (const { name, shape, dtype, quantization } of group.weights) {
      const type: ElementType = quantization?.dtype ?? dtype
      const bytes = BYTES_OF_TYPE[type] * sizeOf(shape)
      if (offset + bytes > shards.size) {
        throw new ConvScopeError(
          'damaged',
          `${json.name}: ${name} ends at byte ${offset + bytes} of shards with ${shards.size} bytes.`,
          {
            remedy: 'Give all shards of the model, each as it was downloaded.',
          },
        )
      }
      const start = offset
      const values = (): Float32Array => restored(toFloat32(shards.read(start, bytes), type), quantization)
      offset += bytes
      const place = name.replace(/:\d+$/, '').split('/')
      const word = place.pop() ?? ''
      // A converted model may write the model's or the layer's name twice before the parameter.
      for (const key of new Set([place.join('/'), place.at(-1) ?? ''])) {
        const parameters = layers.get(key) ?? {}
        parameters[word] = { shape, values }
        layers.set(key, parameters)
      }
    }
  }
  return layers
}

/** Whole numbers stand for `min + scale · q`. */
function restored(values: Float32Array, quantization: z.infer<typeof Quantisation> | undefined): Float32Array {
  if (quantization === undefined || quantization.dtype === 'float16') return values
  const { scale = 1, min = 0 } = quantization
  return values.map((value) => value * scale + min)
}

function shardOf(path: string, files: readonly SourceFile[], json: SourceFile): SourceFile {
  const name = path.split('/').at(-1)
  const shard = files.find((file) => file.name === name)
  if (shard !== undefined) return shard
  throw new ConvScopeError('invalid-input', `${json.name} needs ${path}, which was not given.`, {
    remedy: 'Choose model.json together with all of its .bin files, or their folder.',
  })
}

interface Shards {
  readonly size: number
  read(offset: number, length: number): Uint8Array
}

/** Files one after the other; a tensor may lie in two of them. */
function joined(files: readonly SourceFile[]): Shards {
  return {
    size: files.reduce((sum, file) => sum + file.size, 0),
    read: (offset, length) => {
      const bytes = new Uint8Array(length)
      let start = 0
      for (const file of files) {
        const from = Math.max(offset, start)
        const to = Math.min(offset + length, start + file.size)
        if (from < to) bytes.set(file.read(from - start, to - from), from - offset)
        start += file.size
      }
      return bytes
    },
  }
}
