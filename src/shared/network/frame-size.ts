import type { Preprocessing } from './spec.ts'

export interface FrameSize {
  readonly width: number
  readonly height: number
}

/**
 * How large a network wants its frames: what its preprocessing resizes to, otherwise its input. For a short side the frame is a square,
 * of which the network crops the middle.
 */
export function frameSize(input: readonly number[], { resize }: Pick<Preprocessing, 'resize'>): FrameSize {
  const [height = 1, width = 1] = input
  if (!resize) return { width, height }
  if (resize.mode === 'exact') return { width: resize.width, height: resize.height }
  const side = Math.min(resize.width, resize.height)
  return { width: side, height: side }
}
