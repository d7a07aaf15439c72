/**
 * A process to be killed: opens the project of its first argument and runs jobs, with checkpoints and looks beside them.
 * Every line on stdout is JSON and tells of something that must still be there after a kill: `{ id, outputs: [sha256 …] }`.
 * The executor is not the real one; everything under it is. Its artifacts are of `bytes` random bytes each.
 */
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { setImmediate } from 'node:timers/promises'
import type { OutputRecord } from '../../../shared/runs.ts'
import type { Project } from '../../project/project.ts'
import {
  SAMPLE_ENGINE,
  sampleOutput,
  sampleProject,
  sampleProjection,
  sampleProvenance,
  sampleTraining,
} from '../../project/testing/samples.ts'
import type { Executor } from '../executor.ts'
import { JobQueue } from '../queue.ts'

const [folder, bytesText] = process.argv.slice(2)
if (folder === undefined) throw new Error('a folder is needed')
const bytes = Number(bytesText)

function say(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

function writer(project: Project): Executor {
  return {
    engine: () => SAMPLE_ENGINE,
    execute: async ({ document, look }, { onEvent }) => {
      onEvent({ type: 'started', engine: 'test' })
      const outputs: OutputRecord[] = []
      for (let done = 1; done <= 3; done++) {
        onEvent({ type: 'step', done, total: 3, unit: 'parts', values: { done } })
        outputs.push(await sampleOutput(project, randomBytes(bytes), `part-${done}`))
        if (!look && done === 2)
          onEvent({ type: 'checkpoint', step: done, artifact: await project.artifacts.put(randomBytes(bytes)) })
        await setImmediate()
      }
      // As a worker does it: into the scratch folder first.
      const contents = randomBytes(bytes)
      const file = project.artifacts.scratchFile()
      writeFileSync(file, contents)
      const adopted = await project.artifacts.adopt(file, createHash('sha256').update(contents).digest('hex'))
      outputs.push({ name: 'adopted', kind: 'weights', ...adopted })
      return { state: 'done', result: { parts: 3 }, outputs, provenance: sampleProvenance(document) }
    },
    cancel: () => undefined,
    pause: () => undefined,
    adjust: () => undefined,
    resume: () => undefined,
  }
}

// The first of many starts compiles for the others, which end before Node would keep what they compiled.
flushCompileCache()
const project = await sampleProject(folder, { lookBounds: { looks: 5, bytes: 20 * bytes } })
const waiting = project.runs.queued()
const queue = new JobQueue(project, writer(project), { batchMs: 5 })
say({ opened: true })

async function report(id: string): Promise<void> {
  for await (const event of queue.watch(id)) {
    if (event.type === 'done') say({ id, outputs: project.runs.get(id).outputs.map(({ sha256 }) => sha256) })
  }
}

async function runForever(): Promise<void> {
  await Promise.all(waiting.map(report))
  for (let seed = 0; ; seed++) {
    const id = await queue.start(sampleTraining(seed))
    say({ started: id })
    await report(id)
  }
}

async function lookForever(): Promise<void> {
  for (let index = 0; ; index++) await queue.look(sampleProjection(index))
}

await Promise.all([runForever(), lookForever()])
