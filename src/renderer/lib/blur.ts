/**
 * A picture `[height, width]` convolved with a Gaussian of standard deviation `sigma` pixels, cut at three of them; beyond its edge the
 * picture goes on as nothing.
 */
export function gaussianBlur(values: Float32Array, width: number, height: number, sigma: number): Float32Array {
  const kernel = gaussian(sigma)
  const across = along(values, { count: height, lineStep: width, length: width, step: 1 }, kernel)
  return along(across, { count: width, lineStep: 1, length: height, step: width }, kernel)
}

interface Lines {
  readonly count: number
  /** Between the beginnings of two lines, and between two values of a line. */
  readonly lineStep: number
  readonly length: number
  readonly step: number
}

function along(values: Float32Array, { count, lineStep, length, step }: Lines, kernel: Float64Array): Float32Array {
  const radius = (kernel.length - 1) / 2
  const blurred = new Float32Array(values.length)
  for (let line = 0; line < count; line++) {
    for (let at = 0; at < length; at++) {
      const first = Math.max(-radius, -at)
      const last = Math.min(radius, length - 1 - at)
      let sum = 0
      for (let by = first; by <= last; by++)
        sum += (kernel[by + radius] ?? 0) * (values[line * lineStep + (at + by) * step] ?? 0)
      blurred[line * lineStep + at * step] = sum
    }
  }
  return blurred
}

/** Weights of the places -r … r with the sum 1. */
function gaussian(sigma: number): Float64Array {
  const radius = Math.max(1, Math.ceil(3 * sigma))
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-(((i - radius) / sigma) ** 2) / 2))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}
