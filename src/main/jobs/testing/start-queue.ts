/** A queue on the sample project, with an executor that the test steers. */
import type { OpenOptions, Project } from '../../project/project.ts'
import { sampleProject } from '../../project/testing/samples.ts'
import { JobQueue, type JobQueueOptions } from '../queue.ts'
import { FakeExecutor } from './fake-executor.ts'

export interface StartedQueue {
  readonly project: Project
  readonly executor: FakeExecutor
  readonly queue: JobQueue
}

export async function startQueue(
  folder: string,
  options: JobQueueOptions = {},
  open: OpenOptions = {},
): Promise<StartedQueue> {
  const project = await sampleProject(folder, open)
  const executor = new FakeExecutor()
  const queue = new JobQueue(project, executor, { batchMs: 20, retryMs: 10, closingMs: 50, ...options })
  return { project, executor, queue }
}

export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = []
  for await (const value of values) collected.push(value)
  return collected
}
