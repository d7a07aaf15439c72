import { ENGINE_NAMES, type EngineReport } from '../../../shared/engines.ts'

/**
 * The engines as the session reports them now, with the speeds that were measured. A session whose engine the user chose reports
 * that one only; the others stand as they were measured.
 */
export function withMeasured(session: readonly EngineReport[], measured: readonly EngineReport[]): EngineReport[] {
  const reports = ENGINE_NAMES.map((name): EngineReport | undefined => {
    const now = session.find((report) => report.name === name)
    const before = measured.find((report) => report.name === name)
    if (!now) return before?.state === 'taken' ? { ...before, state: 'available', reason: 'not chosen' } : before
    return { ...now, ...speedsOf(before), ...speedsOf(now) }
  })
  return reports.filter((report) => report !== undefined)
}

function speedsOf(report: EngineReport | undefined): Partial<EngineReport> {
  const { calibrationMs, matmulGflops, convolutionGflops, stepMs, compiledStepMs } = report ?? {}
  return {
    ...(calibrationMs !== undefined && { calibrationMs }),
    ...(matmulGflops !== undefined && { matmulGflops }),
    ...(convolutionGflops !== undefined && { convolutionGflops }),
    ...(stepMs !== undefined && { stepMs }),
    ...(compiledStepMs !== undefined && { compiledStepMs }),
  }
}
