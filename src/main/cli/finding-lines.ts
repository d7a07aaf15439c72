import type { Finding } from '../../shared/network/finding.ts'

const ORDER = ['error', 'warning', 'note'] as const

/** One line a finding, what is worst first, with its remedy below. */
export function findingLines(findings: readonly Finding[]): string[] {
  const sorted = findings.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity))
  return sorted.flatMap(({ severity, layer, message, remedy }) => [
    `${severity.padEnd(7)}  ${layer === undefined || message.includes(layer) ? '' : `${layer}: `}${message}`,
    ...(remedy === undefined ? [] : [`         ${remedy}`]),
  ])
}
