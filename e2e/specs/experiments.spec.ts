import { join } from 'node:path'
import { listZip } from '../../scripts/lib/zip.mjs'
import { convscope } from '../fixtures/command.ts'
import { expect, test } from '../fixtures/workstation.ts'
import { DeconvnetPage } from '../pages/deconvnet-page.ts'
import { ExperimentsPage } from '../pages/experiments-page.ts'

/** Runs an example beside the open page, through the program that holds the project. @returns the run as printed */
async function runBeside(projectFolder: string, assignments: string[] = []): Promise<{ id: string; state: string }> {
  const changes = assignments.flatMap((assignment) => ['--set', assignment])
  const example = join('examples', 'deconvnet-mnist.json')
  const { out } = await convscope(['run', example, '--project', projectFolder, '--json', ...changes])
  return JSON.parse(out) as { id: string; state: string }
}

test('a command beside the open page appears in its list', async ({ workstation }) => {
  const experiments = new ExperimentsPage(workstation.page)
  await experiments.goTo('Experiments')
  const run = await runBeside(workstation.projectFolder, ['picture.index=11'])
  expect(run.state).toBe('done')

  await expect(experiments.row(/conv2.*test 11/).first()).toBeVisible()
  await experiments.openNewest()
  await expect(workstation.page).toHaveURL(new RegExp(`/experiments/${run.id}$`))
  await experiments.done()
  await expect(experiments.document).toContainText('"layer": "conv2"')
  await expect(experiments.document).toContainText('"index": 11')
  await expect(experiments.outputs.getByRole('row')).not.toHaveCount(1)
})

test('exports a run as an archive with everything in it', async ({ workstation }, testInfo) => {
  const experiments = new ExperimentsPage(workstation.page)
  const { id } = await runBeside(workstation.projectFolder, ['picture.index=12', 'layer=conv1'])
  await experiments.open(`/experiments/${id}`)
  await experiments.done()

  const download = await experiments.export()
  expect(download.suggestedFilename()).toBe(`deconvnet-${id}.zip`)
  const file = testInfo.outputPath('run.zip')
  await download.saveAs(file)
  const entries = await listZip(file)
  const names = entries.map(({ name }) => name)
  expect(names).toEqual(expect.arrayContaining(['document.json', 'result.json', 'provenance.json']))
  expect(names.some((name) => name.endsWith('.npy'))).toBe(true)
  expect(entries.every(({ size }) => size > 0)).toBe(true)
})

test('renames a run', async ({ workstation }) => {
  const experiments = new ExperimentsPage(workstation.page)
  const { id } = await runBeside(workstation.projectFolder, ['picture.index=13'])
  await experiments.open(`/experiments/${id}`)
  await experiments.done()
  await experiments.rename('The edges of a zero')
  await expect(experiments.title).toHaveText('The edges of a zero')
  await expect(experiments.row('The edges of a zero')).toBeVisible()
})

test('deletes a run, and brings it back', async ({ workstation }) => {
  const experiments = new ExperimentsPage(workstation.page)
  const { id } = await runBeside(workstation.projectFolder, ['picture.index=14'])
  await experiments.open(`/experiments/${id}`)
  await experiments.done()
  await experiments.rename('To be deleted')
  await expect(experiments.row('To be deleted')).toBeVisible()
  await experiments.delete()
  await expect(experiments.row('To be deleted')).toBeHidden()
  await experiments.undo()
  await expect(experiments.row('To be deleted')).toBeVisible()
})

test('searches runs, and says when none fits', async ({ workstation }) => {
  const { page } = workstation
  const experiments = new ExperimentsPage(page)
  await runBeside(workstation.projectFolder, ['picture.index=15'])
  await experiments.goTo('Experiments')
  const search = page.getByLabel('Search runs')
  await search.fill('test 15')
  await expect(experiments.row(/test 15/).first()).toBeVisible()
  await search.fill('no run has these words')
  await expect(page.getByText('No run fits')).toBeVisible()
})

test('lists what was looked at, each a link back', async ({ workstation }) => {
  const deconvnet = new DeconvnetPage(workstation.page)
  await deconvnet.open('/deconvnet?index=21&layer=pool1')
  await deconvnet.shown(/^pool1 \//)
  const experiments = new ExperimentsPage(workstation.page)
  await experiments.goTo('Experiments')
  await experiments.looks.getByRole('link', { name: /pool1.*test 21/ }).click()
  await deconvnet.shown(/^pool1 \//)
  await expect(workstation.page).toHaveURL(/index=21\b/)
})

test('an address of a run that is not there says so', async ({ workstation }) => {
  const experiments = new ExperimentsPage(workstation.page)
  await experiments.open('/experiments/20260101-000000-none')
  await expect(experiments.errors.first()).toContainText(/no run/i)
})
