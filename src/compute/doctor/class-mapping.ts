/** Which output of a network stands for which class of a data set. */
import type { NetworkSpec } from '../../shared/network/spec.ts'

export interface ClassMapping {
  /** By class of the data set: the network's output, or undefined where the network has no such class. */
  readonly outputs: readonly (number | undefined)[]
  readonly by: 'order' | 'name'
}

/**
 * By name where both have names of which any agree, otherwise by order where there are as many of both.
 * @returns undefined where nothing says which output is which class
 */
export function mapClasses(
  classes: readonly string[],
  { classes: outputs }: Pick<NetworkSpec, 'classes'>,
  outputCount: number,
): ClassMapping | undefined {
  const named = classes.map((name) => outputs.findIndex((output) => sameClass(output, name)))
  if (named.some((index) => index >= 0)) {
    const inOrder = named.every((output, index) => output === index)
    return { outputs: named.map((index) => (index < 0 ? undefined : index)), by: inOrder ? 'order' : 'name' }
  }
  return classes.length === outputCount ? { outputs: classes.map((_, index) => index), by: 'order' } : undefined
}

/** Any of the synonyms, as in 'n02123045 tabby, tabby cat'. */
function sameClass(output: string, name: string): boolean {
  return synonyms(output).some((synonym) => synonyms(name).includes(synonym))
}

function synonyms(name: string): string[] {
  const parts = name.replace(/^n\d{8}\s+/, '').split(',')
  return [name, ...parts]
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .replaceAll(/[\s_-]+/g, ' '),
    )
    .filter((part) => part !== '')
}
