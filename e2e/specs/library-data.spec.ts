import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { repository } from '../../scripts/lib/folders.mjs'
import { expect, test } from '../fixtures/workstation.ts'
import { LibraryPage } from '../pages/library-page.ts'

// A program of its own: the other files count its data sets.
test.use({ programOptions: { argumentList: [] } })

const file = (...names: string[]): string[] =>
  names.map((name) => join(repository, 'tests', 'conformance', 'files', name))

test('imports a folder of pictures by its classes, and names what was left out', async ({ page }, testInfo) => {
  const pets = testInfo.outputPath('pets')
  const pictures = { cats: 'deconvnet-light.png', dogs: 'library.png' }
  for (const [label, name] of Object.entries(pictures)) {
    await mkdir(join(pets, label), { recursive: true })
    await copyFile(join(repository, 'docs', 'images', name), join(pets, label, '1.png'))
  }
  await writeFile(join(pets, 'dogs', 'broken.jpg'), 'this is no picture')
  const library = new LibraryPage(page)
  await library.openDataImport()
  await library.chooseFolder(pets)
  await expect(library.dataName).toHaveValue('pets')
  await library.importButton.click()
  const told = page.getByRole('region', { name: 'Imported' })
  await expect(told).toContainText('1 file was left out', { timeout: 30_000 })
  await expect(told.getByRole('list', { name: 'Files that were left out' })).toContainText('broken.jpg')
  await told.getByRole('button', { name: 'Show its pictures' }).click()
  await expect(library.fact('Classes')).toHaveText('cats, dogs')
  await expect(library.fact('Pictures')).toHaveText('2 all')
  await expect(library.pictures).toBeVisible()
  await library.removeEntry()
  await expect(library.list.getByRole('link', { name: 'pets' })).toHaveCount(0)
})

test('imports MNIST files with their labels, and refuses two data sets at once', async ({ page }) => {
  const library = new LibraryPage(page)
  await library.openDataImport()
  await library.chooseFiles(file('images.idx3-ubyte', 'labels.idx1-ubyte', 'data_batch_1.bin'))
  await library.dataName.fill('digits')
  await library.importButton.click()
  await expect(library.errors.first()).toContainText('two data sets', { timeout: 30_000 })
  await page.getByRole('button', { name: 'Leave out data_batch_1.bin' }).click()
  await library.importButton.click()
  await expect(page).toHaveURL(/\/library\/datasets\/digits$/, { timeout: 30_000 })
  await expect(library.fact('Shape')).toContainText('28 × 28 × 1')
})
