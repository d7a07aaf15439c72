/**
 * Counts a report of Playwright's JSON reporter.
 * @returns {{ passed: number, failed: number, skipped: { name: string, reason: string }[] }} a test that passed only when
 *   it was repeated counts as failed
 */
export function summarisePlaywright(report) {
  const summary = { passed: 0, failed: (report.errors ?? []).length, skipped: [] }
  const visit = (suite, names) => {
    const path = [...names, suite.title].filter(Boolean)
    for (const spec of suite.specs ?? []) {
      for (const test of spec.tests) {
        if (test.status === 'expected') summary.passed += 1
        else if (test.status === 'skipped') {
          const reason = test.annotations.find(({ type }) => type === 'skip' || type === 'fixme')?.description ?? ''
          summary.skipped.push({ name: [...path, spec.title].join(' > '), reason })
        } else summary.failed += 1
      }
    }
    for (const inner of suite.suites ?? []) visit(inner, path)
  }
  for (const suite of report.suites ?? []) visit(suite, [])
  return summary
}
