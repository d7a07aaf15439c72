/** Names of layers as other programs write them, made into names of the library: legal, and each once. */
import type { Finding } from '../../../shared/network/finding.ts'

const MAX_LENGTH = 64

export class LayerNames {
  readonly #taken = new Set<string>()
  readonly #changed: [string, string][] = []

  /** The same name where it is legal and free; otherwise one close to it. */
  claim(written: string): string {
    const plain = legalName(written)
    let name = plain
    for (let count = 2; this.#taken.has(name); count++) {
      const suffix = `-${count}`
      name = `${plain.slice(0, MAX_LENGTH - suffix.length)}${suffix}`
    }
    this.#taken.add(name)
    if (name !== written) this.#changed.push([written, name])
    return name
  }

  /** One note for all layers that are called otherwise than in the file. */
  findings(): Finding[] {
    const [first] = this.#changed
    if (first === undefined) return []
    const count = this.#changed.length
    const layers = count === 1 ? 'One layer has' : `${count} layers have`
    return [
      {
        code: 'renamed-layers',
        severity: 'note',
        message: `${layers} another name than in the file, so that each is legal and unique: ${first[0].slice(0, 200)} is ${first[1]}${count === 1 ? '' : ', …'}.`,
      },
    ]
  }
}

/** Letters, digits, dot, underscore and dash, beginning with a letter or digit; the end of a name that is too long. */
function legalName(written: string): string {
  const legal = written.replaceAll(/[/:]+/g, '.').replaceAll(/[^\w.-]+/g, '_')
  return legal.slice(-MAX_LENGTH).replace(/^[^a-z0-9]+/i, '') || 'layer'
}
