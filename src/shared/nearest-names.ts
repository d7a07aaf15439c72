/** What somebody may have meant who gave a name that is not there. */

const SUGGESTED = 3
const LISTED = 20

/** Names that differ from the wanted one by a few letters, or begin or end as it does; the nearest first. Letter case does not count. */
export function nearestNames(wanted: string, names: readonly string[]): string[] {
  const target = wanted.toLowerCase()
  const limit = Math.ceil(target.length / 3)
  return [...new Set(names)]
    .map((name) => ({ name, distance: distanceOf(target, name.toLowerCase(), limit) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, SUGGESTED)
    .map(({ name }) => name)
}

/** For remedies: the nearest names, and those that there are. @param there such as 'Its layers are' */
export function suggestNames(wanted: string, names: readonly string[], there: string): string {
  const near = nearestNames(wanted, names)
  const question = near.length === 0 ? '' : `Did you mean ${near.map((name) => `"${name}"`).join(' or ')}? `
  const more = names.length - LISTED
  const list = names.slice(0, LISTED).join(', ')
  return names.length === 0 ? '' : `${question}${there} ${list}${more > 0 ? ` and ${more} more` : ''}.`
}

/** Letters to be changed, added or taken away; what contains the other is no farther than `limit`. */
function distanceOf(a: string, b: string, limit: number): number {
  const contains = a.length > 2 && b.length > 2 && (a.includes(b) || b.includes(a))
  return contains ? Math.min(limit, lettersApart(a, b)) : lettersApart(a, b)
}

function lettersApart(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const changed = (before[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(changed, (before[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    before = current
  }
  return before[b.length] ?? Infinity
}
