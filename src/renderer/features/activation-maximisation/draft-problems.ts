import type { NetworkPage } from '../../../shared/network/page.ts'
import { formatCount } from '../../lib/format.ts'
import type { MaximisationDraft } from './maximisation-draft.ts'
import { BEYOND_FIELDS, POLICY_FIELDS, REGULARISER_FIELDS } from './setting-fields.ts'
import { problemOf, settingAt } from './setting-values.ts'

/** What is wrong with the form, by field: paths of settings, and `channel`, `row`, `column`, `iterations`, `decorrelatedColour`. */
export type DraftProblems = ReadonlyMap<string, string>

const MOST_ITERATIONS = 100_000

/** Everything that the fields themselves can say before a document is made. */
export function draftProblems(draft: MaximisationDraft, page: NetworkPage | undefined): DraftProblems {
  const found = new Map<string, string>()
  const { settings, layer: name, channel, position, seeds } = draft
  for (const field of [...REGULARISER_FIELDS, ...POLICY_FIELDS[settings.policy.kind], ...BEYOND_FIELDS]) {
    const problem = problemOf(field, settingAt(settings, field.path) ?? 0)
    if (problem !== undefined) found.set(field.path, problem)
  }
  if (settings.iterations < 1 || settings.iterations > MOST_ITERATIONS) {
    found.set('iterations', `Iterations lie in 1 … ${formatCount(MOST_ITERATIONS)}`)
  }
  if (settings.diversityWeight > 0 && seeds < 2) {
    found.set('diversityWeight', 'Diversity needs two or more pictures at once')
  }
  const [height = Infinity, width = Infinity, colours = 3] = page?.layers[0]?.shape ?? []
  if (settings.blurSigma >= Math.min(height, width)) {
    found.set('blurSigma', `A blur of ${settings.blurSigma} pixels is wider than the picture of ${height} × ${width}`)
  }
  if (settings.decorrelatedColour && colours !== 3) {
    found.set('decorrelatedColour', 'The network takes grey pictures: they have no colours')
  }
  const layer = page?.layers.find((candidate) => candidate.name === name)
  if (layer) {
    const [rows = 1, columns = 1] = layer.shape
    const outside = (what: string, value: number, count: number): void => {
      if (value < 0 || value >= count)
        found.set(what, `${name} has no ${what} ${value}: there are 0 to ${formatCount(count - 1)}`)
    }
    outside('channel', channel, layer.shape.at(-1) ?? 1)
    if (position) outside('row', position[0], rows)
    if (position) outside('column', position[1], columns)
  }
  return found
}
