import { topActivations, type TopActivationsParams } from '../../../shared/experiments/top-activations.ts'

type TopDocument = ReturnType<typeof topActivations.document.parse>

/**
 * The document that projects one more channel of a layer: its scan is remembered, so that only the drawing is done again.
 * @param drawn channels of the layer that are projected already
 * @returns undefined for a document of another kind or version
 */
export function withProjected(
  document: unknown,
  layer: string,
  drawn: readonly number[],
  channel: number,
): TopDocument | undefined {
  const parsed = topActivations.document.safeParse(document)
  if (!parsed.success) return undefined
  const channels = [...new Set([...drawn, channel])].sort((a, b) => a - b)
  const params: TopActivationsParams = { ...parsed.data.params, layers: [layer], drawn: { kind: 'list', channels } }
  return { ...parsed.data, params }
}
