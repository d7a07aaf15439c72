import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '../../scripts/lib/folders.mjs'
import { expect, test } from '../fixtures/workstation.ts'
import { DeconvnetPage } from '../pages/deconvnet-page.ts'
import { LibraryPage } from '../pages/library-page.ts'
import { pixelsOf } from '../pages/pixels.ts'

interface LayerFile {
  name: string
  kernel?: [number, number]
  stride?: [number, number]
}

/** Receptive fields of a chain without padding, by the usual recurrence: r += (k - 1) j; j *= s. */
function receptiveFields(): Map<string, { size: number; stride: number }> {
  const file = join(repository, 'resources', 'networks', 'mnist-convnet', 'network.json')
  const { layers } = JSON.parse(readFileSync(file, 'utf8')) as { layers: LayerFile[] }
  const fields = new Map<string, { size: number; stride: number }>()
  let [size, stride] = [1, 1]
  for (const layer of layers) {
    if (layer.name === 'flatten') break
    size += ((layer.kernel?.[0] ?? 1) - 1) * stride
    stride *= layer.stride?.[0] ?? 1
    fields.set(layer.name, { size, stride })
  }
  return fields
}

test('shows the layers of a network with their receptive fields', async ({ page }) => {
  const library = new LibraryPage(page)
  await library.openEntry('MNIST convnet')
  await expect(library.fact('Parameters')).toHaveText(/317.066/)
  await expect(library.fact('Test error')).toContainText('%')

  const fields = receptiveFields()
  expect(fields.size).toBe(7)
  for (const [name, { size, stride }] of fields) {
    const cells = await library.layerRow(name)
    expect(cells.slice(4), name).toEqual([`${size} × ${size}`, String(stride)])
  }
  expect((await library.layerRow('conv1'))[3]).toBe(String(5 * 5 * 32 + 32))
  expect((await library.layerRow('dense2'))[3]?.replace(/\D/g, '')).toBe(String(256 * 10 + 10))

  await expect.poll(async () => (await pixelsOf(library.filters.locator('canvas'))).levels).toBeGreaterThan(20)
  await library.openInDeconvnet.click()
  await new DeconvnetPage(page).shown()
})

test('opens a layer from the table', async ({ page }) => {
  const library = new LibraryPage(page)
  await library.openEntry('MNIST convnet')
  await library.layers.getByRole('link', { name: 'pool1' }).click()
  await new DeconvnetPage(page).shown(/^pool1 \//)
})

test('shows a data set by class, and opens a picture', async ({ page }) => {
  const library = new LibraryPage(page)
  await library.openEntry('MNIST handwritten digits')
  await expect(library.fact('Pictures')).toHaveText(/60.000 train, 10.000 test/)
  await expect(library.classCounts.locator('canvas, svg').first()).toBeVisible()
  const canvas = library.pictures.locator('canvas')
  await expect.poll(async () => (await pixelsOf(canvas)).levels).toBeGreaterThan(20)

  const all = (await pixelsOf(canvas)).digest
  await library.choose('Class filter', /^(Class )?3\b/)
  await expect.poll(async () => (await pixelsOf(canvas)).digest).not.toBe(all)
  await library.pictures.focus()
  await page.keyboard.press('ArrowRight')
  await expect(library.pictures.getByRole('option')).toHaveText(/class 3$/)
  await page.keyboard.press('Enter')
  const deconvnet = new DeconvnetPage(page)
  await deconvnet.shown()
  await expect(deconvnet.pane('Picture')).toContainText('class 3')
})

test('a name that is not there is explained', async ({ page }) => {
  const library = new LibraryPage(page)
  await library.open('/library/networks/no-such-network')
  await expect(library.errors.first()).toContainText('no-such-network')
  await library.open('/library/datasets/no-such-set')
  await expect(page.getByRole('main')).toContainText('no-such-set')
})
