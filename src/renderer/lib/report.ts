import { spoken } from '../../shared/actions.ts'
import { ErrorReport, toErrorReport } from '../../shared/errors.ts'

/** What a failed call threw, as a report: the declared error's data where there is one. */
export function reportOf(thrown: unknown): ErrorReport {
  if (typeof thrown === 'object' && thrown !== null && 'data' in thrown) {
    const declared = ErrorReport.safeParse(thrown.data)
    if (declared.success) return declared.data
  }
  const report = toErrorReport(thrown)
  if (report.code !== 'internal' || report.remedy) return report
  return { ...report, remedy: 'Try again; if it stays, copy the details and report it.' }
}

/** What to do about it in the window. */
export function remedyText({ remedy }: { readonly remedy?: string | undefined }): string | undefined {
  return remedy === undefined ? undefined : spoken(remedy, 'window')
}

/** Everything about an error as text for the clipboard. */
export function reportText(report: ErrorReport): string {
  return [`${report.message} (${report.code})`, remedyText(report), report.details].filter(Boolean).join('\n\n')
}
