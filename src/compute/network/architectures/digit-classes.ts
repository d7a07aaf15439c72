/** Class names of MNIST. */
export const DIGITS: readonly string[] = Array.from({ length: 10 }, (_, digit) => String(digit))
