/** Reading the stored cases: `<name>.json` with parameters and tolerance, `<name>.safetensors` with inputs and expected values. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { decodeSafetensors, type SafeTensor } from '../safetensors.ts'
import type { Tensor, TensorFlow } from '../layer.ts'
import type { Values } from './rows.ts'

const CaseJson = z.object({
  parameters: z.record(z.string(), z.unknown()),
  tolerance: z.object({ rtol: z.number().optional(), atolRelativeToMax: z.number().optional() }),
  network: z.unknown().optional(),
  projections: z.record(z.string(), z.unknown()).default({}),
})
type CaseJson = z.infer<typeof CaseJson>

export class CaseFile {
  readonly name: string
  readonly json: CaseJson
  readonly #tensors: ReadonlyMap<string, SafeTensor>

  private constructor(name: string, json: CaseJson, tensors: ReadonlyMap<string, SafeTensor>) {
    this.name = name
    this.json = json
    this.#tensors = tensors
  }

  static async read(folder: string, name: string): Promise<CaseFile> {
    const json: unknown = JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8'))
    const bytes = await readFile(join(folder, `${name}.safetensors`))
    return new CaseFile(name, CaseJson.parse(json), decodeSafetensors(bytes, `${name}.safetensors`))
  }

  get arrayNames(): string[] {
    return [...this.#tensors.keys()]
  }

  values(array: string): Values {
    const tensor = this.#tensors.get(array)
    if (tensor === undefined) throw new Error(`${this.name} has no array ${array}`)
    return tensor
  }

  tensor(tf: TensorFlow, array: string): Tensor {
    const { shape, data } = this.values(array)
    return tf.tensor(Float32Array.from(data), [...shape])
  }
}

/** Reads a tensor back and disposes it. */
export async function take(tensor: Tensor): Promise<Values> {
  const values = { shape: tensor.shape, data: await tensor.data() }
  tensor.dispose()
  return values
}
