import type { AscentSettings } from '../../../shared/experiments/activation-maximisation.ts'
import type { RegulariserSearchResult } from '../../../shared/experiments/regulariser-search.ts'

/** Draws with the names that their presets get: `fc8/130, draw 17`. */
export function presetNames(
  { draws }: RegulariserSearchResult,
  chosen: readonly number[],
): { name: string; settings: AscentSettings }[] {
  return chosen.flatMap((index) => {
    const draw = draws[index]
    if (!draw) return []
    const number = `, draw ${index + 1}`
    const unit = `${draw.item.layer}/${draw.item.channel}`.slice(0, 60 - number.length)
    return [{ name: unit + number, settings: draw.settings }]
  })
}
