/** Pictures as sums of waves, for steps and noise that treat every frequency by its own factor. */

/**
 * The discrete Hartley transform `[size, size]` (row-major): (cos + sin)(2π·i·j / size) / √size. Symmetric, and its own inverse. A factor
 * that depends on |frequency| alone does the same between two of these transforms as between Fourier transforms, in real numbers.
 */
export function hartleyMatrix(size: number): Float32Array {
  const wave = Float64Array.from({ length: size }, (_, place) => {
    const angle = (2 * Math.PI * place) / size
    return (Math.cos(angle) + Math.sin(angle)) / Math.sqrt(size)
  })
  const matrix = new Float32Array(size * size)
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) matrix[row * size + column] = wave[(row * column) % size] ?? 0
  }
  return matrix
}

/**
 * `[height, width]`: 1 / max(f, 1 / longer side)^power at the places of the Hartley transforms of both axes, f in cycles a pixel, as lucid's
 * `fft_image` scales its coefficients; times what makes the mean square 1, so that white noise keeps its variance. Ones for power 0.
 */
export function frequencyAmplitudes(height: number, width: number, power: number): Float32Array {
  const lowest = 1 / Math.max(height, width)
  const along = (place: number, size: number): number => Math.min(place, size - place) / size
  const amplitudes = Float64Array.from({ length: height * width }, (_, index) => {
    const frequency = Math.hypot(along(Math.floor(index / width), height), along(index % width, width))
    return Math.max(frequency, lowest) ** -power
  })
  const meanSquare = amplitudes.reduce((sum, value) => sum + value * value, 0) / amplitudes.length
  return Float32Array.from(amplitudes, (value) => value / Math.sqrt(meanSquare))
}

/**
 * Waves as a picture.
 * @param coefficients `[height, width, channels]`, at the places of the Hartley transforms of both axes
 */
export function fromWaves(
  coefficients: Float32Array,
  [height, width, channels]: readonly [number, number, number],
): Float32Array {
  const line = width * channels
  const down = multiplied(hartleyMatrix(height), coefficients, height, line)
  const across = hartleyMatrix(width)
  const picture = new Float32Array(down.length)
  for (let row = 0; row < height; row++) {
    picture.set(multiplied(across, down.subarray(row * line, (row + 1) * line), width, channels), row * line)
  }
  return picture
}

/** `[size, size]` times `[size, columns]`. */
function multiplied(matrix: Float32Array, values: Float32Array, size: number, columns: number): Float32Array {
  const product = new Float32Array(size * columns)
  const sums = new Float64Array(columns)
  for (let row = 0; row < size; row++) {
    sums.fill(0)
    for (let inner = 0; inner < size; inner++) {
      const factor = matrix[row * size + inner] ?? 0
      for (let column = 0; column < columns; column++)
        sums[column] = (sums[column] ?? 0) + factor * (values[inner * columns + column] ?? 0)
    }
    product.set(sums, row * columns)
  }
  return product
}
