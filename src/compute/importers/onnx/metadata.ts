/** What ConvScope writes beside the graph of an ONNX file: how pictures are prepared, and what the classes are called. */
import * as z from 'zod'
import { ConvScopeError } from '../../../shared/errors.ts'
import { MEAN_IMAGE_TENSOR, NetworkSpec, Preprocessing } from '../../../shared/network/spec.ts'
import type { SourceFile } from '../../files/source-file.ts'
import type { ImportedTensor } from '../imported-network.ts'
import type { ModelProto } from './schema.ts'
import { constantOf, parameterOf } from './tensor.ts'

/** Keys of `metadata_props`; each value is JSON. */
const PREFIX = 'convscope.'
const FIELDS = ['preprocessing', 'classes', 'title', 'source'] as const
const Metadata = z.object({
  preprocessing: Preprocessing,
  classes: NetworkSpec.shape.classes,
  title: z.string(),
  source: z.string(),
})
export type Metadata = z.infer<typeof Metadata> & { readonly meanImage?: ImportedTensor }

/** Key and value of every field, for the exporter. */
export function metadataOf(spec: NetworkSpec): [key: string, value: string][] {
  return FIELDS.map((field) => [`${PREFIX}${field}`, JSON.stringify(spec[field])])
}

/**
 * Undefined where another program has written the file.
 * @param input `[height, width, channels]`, which a mean picture has, too
 * @throws ConvScopeError 'damaged' that names the field
 */
export function readMetadata(
  { metadata_props: entries, graph }: ModelProto,
  file: SourceFile,
  input: readonly number[],
): Metadata | undefined {
  const own = new Map(entries.map(({ key = '', value = '' }) => [key, value]))
  if (!own.has(`${PREFIX}preprocessing`)) return undefined
  const refuse = (reason: string, cause?: unknown): ConvScopeError =>
    new ConvScopeError('damaged', `${file.name} cannot be imported: ${reason}.`, {
      remedy: 'Export or download the file again.',
      cause,
    })
  const values = FIELDS.flatMap((field) => {
    const text = own.get(`${PREFIX}${field}`)
    if (text === undefined) return []
    try {
      return [[field, JSON.parse(text)] as [string, unknown]]
    } catch (cause) {
      throw refuse(`its entry ${PREFIX}${field} is not JSON`, cause)
    }
  })
  const parsed = Metadata.safeParse(Object.fromEntries(values))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw refuse(`its entry ${PREFIX}${issue?.path.join('.') ?? ''} does not fit (${issue?.message ?? ''})`)
  }
  const { data } = parsed
  if (data.preprocessing.meanImage === undefined) return data
  const stored = graph?.initializer.find(({ name }) => name === MEAN_IMAGE_TENSOR)
  const constant = stored && constantOf(stored, MEAN_IMAGE_TENSOR, file, [file])
  if (constant === undefined || constant.shape.join() !== input.join()) {
    throw refuse(`its mean picture ${MEAN_IMAGE_TENSOR} is not there in the size of the input, ${input.join(' × ')}`)
  }
  return { ...data, meanImage: parameterOf(constant, [0, 1, 2]) }
}
