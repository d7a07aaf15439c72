import { join } from 'node:path'
import { repository } from '../../scripts/lib/folders.mjs'
import { expect, test } from '../fixtures/workstation.ts'
import { DeconvnetPage } from '../pages/deconvnet-page.ts'
import { LibraryPage } from '../pages/library-page.ts'

// A program of its own: what is imported here has the titles of what the other files look for.
test.use({ programOptions: { argumentList: [] } })

const file = (...names: string[]): string[] =>
  names.map((name) => join(repository, 'tests', 'conformance', 'files', name))

/** Each family of formats, in its order: the later ones hold only weights and take the layers of the first. */
const FAMILIES: readonly { name: string; files: string[]; architecture?: string; format: RegExp }[] = [
  { name: 'from-onnx', files: file('ta.onnx'), format: /ONNX/ },
  { name: 'from-caffe', files: file('tb-v2.caffemodel', 'tb-v2.prototxt', 'tb-mean.npy'), format: /Caffe/ },
  { name: 'from-keras', files: file('ta.keras'), format: /Keras/ },
  { name: 'from-matconvnet', files: file('tb-matconvnet.mat'), format: /MatConvNet/ },
  { name: 'from-pytorch', files: file('ta.pth'), architecture: 'from-onnx', format: /PyTorch/ },
  { name: 'from-safetensors', files: file('ta.safetensors'), architecture: 'from-onnx', format: /safetensors/i },
]

test('imports one network of each family of formats', async ({ page }) => {
  test.setTimeout(180_000)
  const library = new LibraryPage(page)
  await library.goTo('Library')
  for (const { name, files, architecture, format } of FAMILIES) {
    await library.importNetwork(files, { name, architecture })
    await expect(library.origin, name).toContainText(format)
    await expect(library.layers.getByRole('row'), name).not.toHaveCount(0)
    await expect(library.list.getByRole('link', { name: 'imported' }).first()).toBeVisible()
  }
})

test('suggests a name, refuses one in use, and explains a damaged file where it was chosen', async ({ page }) => {
  const library = new LibraryPage(page)
  await library.openImport()
  await library.chooseFiles(file('damaged/truncated-tb.onnx'))
  await expect(library.importName).toHaveValue('truncated-tb')
  await library.importName.fill('mnist-convnet')
  await expect(library.errors.first()).toContainText('already has a network')
  await expect(library.importButton).toBeDisabled()
  await library.importName.fill('broken')
  await library.importButton.click()
  await expect(library.errors.first()).toContainText('truncated-tb.onnx', { timeout: 30_000 })
  await expect(page.getByRole('button', { name: 'Copy details' })).toBeVisible()
  await expect(library.importName).toHaveValue('broken')
  await expect(library.list.getByRole('link', { name: 'broken' })).toHaveCount(0)
})

test('takes dropped files anywhere on the tab', async ({ page }) => {
  const library = new LibraryPage(page)
  await library.openEntry('MNIST convnet')
  await library.dropFile('dropped.onnx', 'this is no network')
  await expect(page.getByRole('heading', { level: 1, name: 'Import a network' })).toBeVisible()
  await expect(library.importName).toHaveValue('dropped')
  await library.importButton.click()
  await expect(library.errors.first()).toContainText('dropped.onnx', { timeout: 30_000 })
})

test('changes the pipeline of an imported network, which then is another', async ({ page }) => {
  const library = new LibraryPage(page)
  await library.importNetwork(file('tb-v2.caffemodel', 'tb-v2.prototxt'), { name: 'to-change' })
  const before = await library.fact('Hash').innerText()
  await library.view('Input and classes')
  const pipeline = page.getByRole('region', { name: 'Pipeline' })
  await pipeline.getByRole('button', { name: 'Edit' }).click()
  await pipeline.getByLabel('Scale', { exact: true }).fill('much')
  await expect(pipeline.getByRole('alert')).toContainText('1/255')
  await pipeline.getByLabel('Scale', { exact: true }).fill('1/128')
  await pipeline.getByRole('button', { name: 'Save …' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await expect(pipeline).toContainText('× 0.0078125')
  await library.view('Overview')
  await expect(library.fact('Hash')).not.toHaveText(before)
  await library.openInDeconvnet.click()
  await new DeconvnetPage(page).shown()
})

test('classifies digits, measures accuracy and examines the network', async ({ page }) => {
  test.setTimeout(120_000)
  const library = new LibraryPage(page)
  await library.openEntry('MNIST convnet')
  await library.view('Try it')
  const classify = page.getByRole('region', { name: 'Classify a picture' })
  await expect(classify.getByRole('combobox')).toBeVisible()
  await classify.getByRole('button', { name: 'Classify' }).click()
  // The first test digit of MNIST is a 7.
  await expect(classify.getByRole('list', { name: 'Most probable classes' }).getByRole('listitem').first()).toHaveText(
    /^7\s*(9\d|100)/,
    { timeout: 60_000 },
  )
  const accuracy = page.getByRole('region', { name: 'Accuracy' })
  await accuracy.getByRole('button', { name: 'Measure' }).click()
  await expect(accuracy).toContainText(/Right\s*9\d\.\d % \(.* of 1.000/, { timeout: 60_000 })
  await library.view('Doctor')
  await page.getByRole('button', { name: 'Examine' }).click()
  await expect(page.getByRole('region', { name: 'Findings' })).toBeVisible({ timeout: 60_000 })
})

test('renames a class where it was found, and takes that back', async ({ page }) => {
  test.setTimeout(120_000)
  const library = new LibraryPage(page)
  await library.openEntry('MNIST convnet')
  const { path } = await library.exportAs('ConvScope (.zip)')
  await library.importNetwork([path], { name: 'named-digits' })
  await library.view('Try it')
  const classify = page.getByRole('region', { name: 'Classify a picture' })
  await library.choose('Data set of the picture', /MNIST.*Test/i)
  await classify.getByRole('button', { name: 'Classify' }).click()
  const bars = classify.getByRole('list', { name: 'Most probable classes' })
  const first = bars.getByRole('listitem').first().getByRole('button')
  await expect(first).toHaveText('7', { timeout: 60_000 })
  await first.focus()
  await page.keyboard.press('F2')
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type('never')
  await page.keyboard.press('Escape')
  await expect(first).toHaveText('7')

  await first.dblclick()
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type('sept')
  await page.keyboard.press('Enter')
  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click()
  await expect(library.toast('Class 7 has its former name again')).toBeVisible()
  await expect(first).toHaveText('7')

  await first.focus()
  await page.keyboard.press('F2')
  await page.keyboard.press('ControlOrMeta+A')
  await page.keyboard.type('seven')
  await page.keyboard.press('Enter')
  await expect(first).toHaveText('seven')
  await library.view('Input and classes')
  await expect(page.getByRole('list', { name: 'Class names' })).toContainText('seven')
  await library.removeEntry()
})

test('draws the layers, and the distribution of the weights', async ({ page }) => {
  const library = new LibraryPage(page)
  await library.openEntry('MNIST convnet')
  await library.view('Graph')
  const graph = page.getByRole('group', { name: 'Layer graph' })
  await graph.getByRole('button', { name: /^conv2/ }).click()
  await expect(page.getByRole('region', { name: 'Chosen layer' })).toContainText('8 × 8 × 64')
  await page.keyboard.press('ArrowDown')
  await expect(page.getByRole('region', { name: 'Chosen layer' })).toContainText('max-pool')
  await library.view('Weights')
  await page.getByRole('button', { name: 'conv2 kernel' }).click()
  await expect(page.getByRole('img', { name: 'Histogram of conv2 kernel' })).toBeVisible()
})

test('exports a network as a file that can be imported', async ({ page }) => {
  const library = new LibraryPage(page)
  await library.openEntry('MNIST convnet')
  for (const [label, fileName] of [
    ['ConvScope (.zip)', 'mnist-convnet.zip'],
    ['ONNX (.onnx)', 'mnist-convnet.onnx'],
    ['Weights (.safetensors)', 'mnist-convnet.safetensors'],
  ] as const) {
    const saved = await library.exportAs(label)
    expect(saved.name).toBe(fileName)
    await library.importNetwork([saved.path], {
      name: `again-${fileName.split('.')[1]}`,
      architecture: fileName.endsWith('.safetensors') ? 'mnist-convnet' : undefined,
    })
    await expect(library.fact('Parameters')).toHaveText(/317.066/)
    await library.open('/library/networks/mnist-convnet')
  }
})
