/** Okabe & Ito's colours, which all eyes can tell apart, and lighter ones after them: `[red, green, blue]`, 0…255, one a class, again and again. */
export const CLASS_COLOURS: readonly (readonly [number, number, number])[] = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [86, 180, 233],
  [213, 94, 0],
  [240, 228, 66],
  [0, 0, 0],
  [153, 153, 153],
  [128, 64, 160],
]

/** The colour of a class. */
export const classColour = (index: number): readonly [number, number, number] =>
  CLASS_COLOURS[index % CLASS_COLOURS.length] ?? [0, 0, 0]
