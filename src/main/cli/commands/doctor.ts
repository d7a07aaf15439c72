/** `convscope doctor`. */
import type { Command } from 'commander'
import type { DoctorReport } from '../../../shared/contract/system.ts'
import { withEngineOptions, type Act } from '../context.ts'
import { EXIT } from '../follow-run.ts'
import type { Register } from '../program.ts'
import { byteText, table } from '../terminal.ts'

export function addDoctor(program: Command, register: Register): void {
  const command = withEngineOptions(program.command('doctor'))
    .summary('examine engines, machine and project')
    .description(
      'Examines the engines (why each was or was not taken, measured speed), memory, versions, and the health of the project.',
    )
    .option('--full', 'read every artifact and compare its hash')
  register(command, [], doctor)
}

const doctor: Act<{ readonly full?: boolean }> = (context, { full = false }) =>
  context.withProject(async ({ services }) => {
    const report = await services.system.doctor({ full })
    context.terminal.answer(report, () => reportText(report))
    return EXIT.done
  })

function reportText(report: DoctorReport): string {
  const milliseconds = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(1)} ms`)
  const gflops = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(0)} GFLOP/s`)
  const engines = report.engines.map((engine) => [
    engine.name,
    engine.state,
    milliseconds(engine.calibrationMs),
    gflops(engine.matmulGflops),
    gflops(engine.convolutionGflops),
    milliseconds(engine.stepMs),
    milliseconds(engine.compiledStepMs),
    engine.reason,
  ])
  const { session, project, folders } = report
  return [
    `${report.program} on ${report.platform}`,
    `${report.cpu}, ${report.cores} cores, ${byteText(report.freeMemoryBytes)} of ${byteText(report.memoryBytes)} free`,
    '',
    table(
      ['engine', 'state', 'calibration', 'matmul', '3×3 convolution', 'training step', 'compiled', 'reason'],
      engines,
    ),
    '',
    `Session: ${session.state}${session.engine ? ` on ${session.engine.name}, ${session.engine.device}, ${session.engine.threads} threads, kernels ${session.engine.kernels}` : ''}`,
    ...(session.engine && !session.engine.deterministic ? ['This engine does not promise bit-identical runs.'] : []),
    ...(session.error ? [`Error: ${session.error.message}`] : []),
    ...(session.message ? [session.message] : []),
    '',
    `Project ${folders.project}: ${project.runs} runs, ${project.artifacts} artifacts, ${byteText(project.artifactBytes)}`,
    ...(project.ok ? ['Nothing is missing or damaged.'] : project.problems),
    `Cache ${folders.cache}`,
    `Settings ${folders.config}`,
    Object.entries(report.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ].join('\n')
}
