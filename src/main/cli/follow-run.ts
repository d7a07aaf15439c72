/** Starting a run and following it to its end, as every command that computes does. */
import { ConvScopeError, type ErrorReport } from '../../shared/errors.ts'
import type { JobEvent } from '../../shared/jobs.ts'
import type { RunRecord } from '../../shared/runs.ts'
import type { Json } from '../../shared/values.ts'
import type { Access } from './access.ts'
import { prepareOutputFolder, writeOutputFolder } from './output-folder.ts'
import { countText, durationText, type Terminal } from './terminal.ts'

export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export interface RunToEnd {
  readonly run: RunRecord
  readonly exitCode: ExitCode
  /** Names of the files in the output folder. */
  readonly files: string[]
}

export interface RunOptions {
  readonly out?: string
  /** Aborted by Ctrl+C: the run is cancelled, and what it has written is kept. */
  readonly interruption: AbortSignal
}

/**
 * Puts the document into the queue, shows its progress, and writes its outputs where `out` says so, those of a cancelled run too.
 * @throws ConvScopeError where the run cannot be started, or its outputs cannot be written
 */
export async function runToEnd(
  document: Json,
  access: Access,
  terminal: Terminal,
  { out, interruption }: RunOptions,
): Promise<RunToEnd> {
  if (out !== undefined) await prepareOutputFolder(out)
  const { jobs, runs } = access.services
  const { id } = await jobs.start({ document })
  const cancel = (): void => {
    terminal.note(`Cancelling the run ${id}; what it has written is kept.`)
    // It may have ended in this very moment.
    jobs.cancel({ id }).catch(() => undefined)
  }
  interruption.addEventListener('abort', cancel, { once: true })
  if (interruption.aborted) cancel()
  let error: ErrorReport | undefined
  try {
    for await (const event of jobs.watch({ id })) {
      if (event.type === 'failed') error = event.error
      show(event, id, terminal)
    }
  } finally {
    interruption.removeEventListener('abort', cancel)
  }
  const run = await runs.show({ id })
  const files = out === undefined ? [] : await writeOutputFolder(out, run, (sha256) => access.artifact(sha256))
  return { run, exitCode: exitCodeOf(run, error, interruption.aborted, terminal), files }
}

function show(event: JobEvent, id: string, terminal: Terminal): void {
  if (event.type === 'started') terminal.note(`Run ${id} on ${event.engine}`)
  if (event.type === 'log') terminal.note(event.message)
  if (event.type === 'step') terminal.progress(stepText(event))
}

/** Values that only draw the window's further curves. */
const FOR_CURVES = /\d$|^setting$/

function stepText({ done, total, unit, values, secondsLeft }: Extract<JobEvent, { type: 'step' }>): string {
  const percent = `${Math.floor((100 * done) / total)} %`
  const shown = Object.entries(values).filter(([name]) => !FOR_CURVES.test(name))
  const numbers = shown.map(([name, value]) => valueText(name, value))
  const left = secondsLeft === undefined ? [] : [`${durationText(secondsLeft)} left`]
  return [`${percent} (${countText(done, total, unit)})`, ...numbers, ...left].join(', ')
}

/** `trainErrorPercent` 12.3 → "train error 12.3 %", `imagesPerSecond` 800 → "800 images/s", `loss` 0.5 → "loss 0.5". */
export function valueText(name: string, value: number): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  const number = String(Number(value.toPrecision(4)))
  const [rate, share] = [/^(.*) per second$/.exec(words), /^(.*) percent$/.exec(words)]
  if (rate) return `${number} ${rate[1]}/s`
  return share ? `${share[1]} ${number} %` : `${words} ${number}`
}

function exitCodeOf(
  run: RunRecord,
  error: ErrorReport | undefined,
  interrupted: boolean,
  terminal: Terminal,
): ExitCode {
  if (run.state === 'done') return EXIT.done
  if (run.state === 'cancelled') {
    if (!interrupted) terminal.note('The run was cancelled from elsewhere.')
    return interrupted ? EXIT.interrupted : EXIT.failed
  }
  const report = run.error ?? error
  if (report) terminal.error(report)
  else terminal.error(new ConvScopeError('internal', `The run ${run.id} ended in the state ${run.state}`))
  return EXIT.failed
}
