interface Named {
  readonly name: string
  readonly title: string
}

/** What networks are called in a list, by name: the title, with the name behind it where several have the same title. */
export function networkLabels(networks: readonly Named[]): ReadonlyMap<string, string> {
  const count = new Map<string, number>()
  for (const { title } of networks) count.set(title, (count.get(title) ?? 0) + 1)
  return new Map(networks.map(({ name, title }) => [name, (count.get(title) ?? 0) > 1 ? `${title} (${name})` : title]))
}
