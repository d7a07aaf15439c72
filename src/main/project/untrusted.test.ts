/** A project that somebody else prepared cannot lead the program out of its folders. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Project } from './project.ts'
import { sampleProject, sampleTraining, temporaryFolder } from './testing/samples.ts'

let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let project: Project

beforeEach(async () => {
  temporary = await temporaryFolder()
  project = await sampleProject(temporary.folder)
})

afterEach(async () => {
  await project.close()
  await temporary.remove()
})

it.each(['../../evil', 'a/b', '..', '.ssh', 'C:evil', '', 'a\nb'])('refuses a run whose id is %j', (id) => {
  const run = project.runs.create(sampleTraining(), { title: 'a', library: { networks: {}, datasets: {} } })
  project.database.exec('PRAGMA foreign_keys = OFF')
  project.database.run('UPDATE run SET id = ? WHERE id = ?', id, run.id)
  expect(() => project.runs.get(id)).toThrow(expect.objectContaining({ code: 'damaged' }))
  expect(project.runs.list()).toMatchObject({ runs: [], problems: [expect.any(String)] })
})
