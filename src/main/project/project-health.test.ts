import { readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../platform/hash.ts'
import { configureLogging } from '../platform/logger.ts'
import { checkProject } from './doctor.ts'
import { openProject, type Project } from './project.ts'
import { sampleFinishedRun, sampleProject, temporaryFolder } from './testing/samples.ts'

let temporary: Awaited<ReturnType<typeof temporaryFolder>>
let project: Project | undefined

beforeEach(async () => {
  configureLogging({ stderr: 'off' })
  temporary = await temporaryFolder()
})

afterEach(async () => {
  await project?.close()
  project = undefined
  await temporary.remove()
})

async function sample(): Promise<Project> {
  return (project = await sampleProject(temporary.folder))
}

async function reopen(): Promise<Project> {
  await project?.close()
  return (project = await openProject(temporary.folder))
}

describe('garbage', () => {
  it('is what nothing names and what is old enough', async () => {
    const opened = await sample()
    await sampleFinishedRun(opened, 'named')
    const upload = await opened.artifacts.put(Buffer.from('an upload that a document will name'))
    const again = await reopen()
    expect(await again.collectGarbage()).toMatchObject({ files: 0 })
    const longAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000)
    for (const { sha256: hash } of (await again.artifacts.list()).artifacts) {
      await utimes(again.artifacts.path(hash), longAgo, longAgo)
    }
    const look = { params: { picture: { artifact: upload.sha256 } } }
    again.settings.set('last look', look)
    expect(await again.collectGarbage()).toMatchObject({ files: 0 })
    again.settings.remove('last look')
    expect(await again.collectGarbage()).toEqual({ runs: 0, files: 1, bytes: upload.bytes })
    expect(await again.artifacts.has(upload.sha256)).toBe(false)
    expect((await checkProject(again, { full: true })).problems).toEqual([])
  })
})

describe('the doctor', () => {
  it('finds nothing in a healthy project, and counts', async () => {
    const opened = await sample()
    await sampleFinishedRun(opened, 'healthy')
    expect(await checkProject(opened, { full: true })).toMatchObject({
      ok: true,
      runs: 1,
      artifacts: 4,
      problems: [],
      looks: 0,
    })
  })

  it('names what is missing, damaged or unreadable, and who needs it', async () => {
    const opened = await sample()
    const [missing, damaged, unreadable] = [
      await sampleFinishedRun(opened, 'missing', 1),
      await sampleFinishedRun(opened, 'damaged', 2),
      await sampleFinishedRun(opened, 'unreadable', 3),
    ]
    await rm(opened.artifacts.path(sha256('missing')))
    await writeFile(opened.artifacts.path(sha256('damaged')), 'DAMAGED')
    await rm(opened.artifacts.path(sha256('weights')))
    await writeFile(join(opened.artifacts.folder, 'stray.txt'), '')
    opened.database.run("UPDATE run SET document = 'no JSON' WHERE id = ?", unreadable)
    opened.database.run("UPDATE job_event SET body = '[' WHERE run_id = ?", damaged)
    const { ok, problems } = await checkProject(opened, { full: true })
    expect(ok).toBe(false)
    for (const part of [
      `${sha256('missing')} is missing (run ${missing}, output projections)`,
      `${sha256('damaged')} is damaged (run ${damaged}, output projections)`,
      `${sha256('weights')} of network tiny is missing`,
      'stray.txt',
      `Run ${unreadable}`,
      `of run ${damaged}`,
    ]) {
      expect(problems).toContainEqual(expect.stringContaining(part))
    }
    expect(problems).toHaveLength(6)
    expect((await checkProject(opened)).problems).toHaveLength(5)
  })

  it('tells of a database that is broken on the disk', async () => {
    const { database } = await sample()
    database.transaction(() => {
      for (let row = 0; row < 500; row++)
        database.run('INSERT INTO setting VALUES (?, ?)', `key ${row}`, '"x"'.repeat(40))
    })
    await project?.close()
    const file = join(temporary.folder, 'project.sqlite')
    const bytes = await readFile(file)
    // The leaves of the tables are behind the first pages, which hold the schema.
    bytes.fill(0xa5, bytes.length / 2)
    await writeFile(file, bytes)
    project = await openProject(temporary.folder)
    const { ok, problems } = await checkProject(project)
    expect(ok).toBe(false)
    expect(problems[0]).toContain('Database: ')
  })
})
