import { writeFileSync } from 'node:fs'

/**
 * A vitest reporter that writes `{passed, failed, skipped: [{name, reason}]}` to the file named by
 * CONVSCOPE_SUMMARY: what `npm test` counts. A file that could not be loaded counts as one failure.
 */
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const summary = { passed: 0, failed: unhandledErrors.length, skipped: [] }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state, note } = test.result()
        if (state === 'passed') summary.passed += 1
        else if (state === 'failed') summary.failed += 1
        else summary.skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, reason: note ?? '' })
      }
      summary.failed += module.errors().length
      for (const suite of module.children.allSuites()) summary.failed += suite.errors().length
    }
    writeFileSync(process.env.CONVSCOPE_SUMMARY, JSON.stringify(summary))
  }
}
