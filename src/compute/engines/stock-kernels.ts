/** Whether tfjs-node's own kernels are wanted in place of what replaces them. */

let stockOnly = false

/**
 * Runs `body` with tfjs-node's own kernels and gradients in place of the cheaper ones; what guards against memory corruption stays.
 */
export function withStockKernels<T>(body: () => T): T {
  const before = stockOnly
  stockOnly = true
  try {
    return body()
  } finally {
    stockOnly = before
  }
}

/** Whether such a run is going on. */
export function usesStockKernels(): boolean {
  return stockOnly
}
