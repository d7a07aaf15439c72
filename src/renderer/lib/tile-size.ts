/** Size of a tile near to `wanted` pixels: enlarged, or made smaller, by a whole factor only. */
export function tileSize(width: number, height: number, wanted: number): { width: number; height: number } {
  const longer = Math.max(width, height)
  if (longer <= wanted) {
    const factor = Math.max(1, Math.min(24, Math.round(wanted / longer)))
    return { width: width * factor, height: height * factor }
  }
  const divisor = Math.max(1, Math.ceil(longer / (2 * wanted)))
  return { width: Math.ceil(width / divisor), height: Math.ceil(height / divisor) }
}
