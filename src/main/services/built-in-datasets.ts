/** The sample of pictures that comes with the program; read where it lies, found by hash like any artifact. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { DatasetRecord, DatasetSplit } from '../../shared/datasets.ts'
import { ConvScopeError } from '../../shared/errors.ts'
import { sha256 } from '../platform/hash.ts'
import { datasetHash } from '../project/datasets.ts'
import type { Project } from '../project/project.ts'

const BUILT_IN_DATASETS = ['mnist', 'cifar-10-sample']

/** The name of a built-in data set, in whatever letter case: nothing else may have it. */
export function isBuiltInDataset(name: string): boolean {
  return BUILT_IN_DATASETS.includes(name.toLowerCase())
}

type Content = Pick<DatasetRecord, 'format' | 'shape' | 'classes' | 'splits'>

/** Whether a library's entry has this content, whatever halves were added to it. */
export function hasContent(record: Content | undefined, content: Content): boolean {
  if (!record) return false
  const whole = ({ half }: DatasetSplit): boolean => !half
  return datasetHash({ ...record, splits: record.splits.filter(whole) }) === datasetHash(content)
}

/** `cifar-10-sample.json`: what the record says beside the hashes of the files. */
const SampleDescription = z.object({
  title: z.string(),
  classes: z.array(z.string()),
  shape: z.tuple([z.number(), z.number(), z.number()]),
  count: z.number(),
  attribution: z.string(),
})

/** What is to be entered. @throws ConvScopeError 'damaged' where the files are not what they should be, or cannot be read */
export async function cifarSample(project: Project, folder: string): Promise<Omit<DatasetRecord, 'hash' | 'addedAt'>> {
  const described: unknown = JSON.parse(await readFile(join(folder, 'cifar-10-sample.json'), 'utf8'))
  const parsed = SampleDescription.safeParse(described)
  if (!parsed.success) {
    throw new ConvScopeError('damaged', `The description of cifar-10-sample in ${folder} cannot be read`, {
      details: z.prettifyError(parsed.error),
    })
  }
  const { title, classes, shape, count, attribution } = parsed.data
  const [images, packed] = await Promise.all(
    ['cifar-10-sample.index.json', 'cifar-10-sample.zip'].map(async (name) => {
      const file = join(folder, name)
      const hash = sha256(await readFile(file))
      project.artifacts.addBuiltIn(file, hash)
      return hash
    }),
  )
  if (images === undefined || packed === undefined) throw new ConvScopeError('internal', 'Two files were to be hashed')
  const splits = [{ name: 'test', count, images, packed }]
  return { name: 'cifar-10-sample', title, format: 'pictures', shape, classes, splits, source: 'built-in', attribution }
}
