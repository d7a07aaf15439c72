import { expect, test } from '../fixtures/workstation.ts'
import { LibraryPage } from '../pages/library-page.ts'
import { pixelsOf } from '../pages/pixels.ts'
import { TrainingPage } from '../pages/training-page.ts'

test('trains a network of the library on the sample, stops early, shows its mistakes, and goes on', async ({
  page,
}) => {
  // Without the native engine a training takes many times as long.
  test.setTimeout(900_000)
  const end = { timeout: 400_000 }
  const library = new LibraryPage(page)
  await library.openEntry('Small AlexNet for 32×32')
  await page.getByRole('main').getByRole('link', { name: 'Train', exact: true }).click()

  const training = new TrainingPage(page)
  await expect(page.getByRole('heading', { level: 1, name: 'Train a network' })).toBeVisible()
  await training.pick('Its weights', 'New ones')
  await training.choose('Data set', /CIFAR-10/)
  await training.fill('Pictures to train on', '640')
  await training.fill('Pictures to measure on', '200')
  // So small that the test error cannot become smaller.
  await training.fill('Learning rate', '1e-9')
  await training.fill('Batch', '32')
  await training.fill('Epochs', '6')
  await training.fill('Stop after', 'soon')
  await training.form.getByRole('button', { name: 'Start training' }).click()
  await expect(training.form.getByText('Give a whole number of epochs, or nothing.')).toBeVisible()
  await training.fill('Stop after', '1')
  const first = await training.start()

  // At once: a fast machine is through in a moment.
  await training.run.getByRole('button', { name: 'Pause' }).click()
  await training.run.getByRole('button', { name: 'Resume' }).click()
  await expect(training.loss.locator('canvas, svg').first()).toBeVisible(end)
  await expect(training.errorCurves).toBeVisible()
  await expect(training.run.getByText(/· done ·/)).toBeVisible(end)
  await expect(training.resultFact('Ended')).toHaveText('early: the test error had stalled')
  await expect(training.resultFact('Weights')).toHaveText('of epoch 1')
  await expect(training.resultFact('Test error')).toContainText('on 200 pictures')
  await expect(training.confusion.getByRole('row')).toHaveCount(11)
  await expect.poll(async () => (await pixelsOf(training.mistakes.locator('canvas'))).levels).toBeGreaterThan(20)
  await expect(training.outputs).toContainText('state')

  await training.run.getByRole('button', { name: 'Train further …' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Train further' })).toBeVisible()
  await expect(training.form.getByLabel('Learning rate', { exact: true })).toHaveValue('1e-9')
  await training.fill('Epochs', '3')
  await training.fill('Stop after', '')
  expect(await training.start()).not.toBe(first)
  await expect(training.run.getByText(/· done ·/)).toBeVisible(end)
  await expect(training.resultFact('Ended')).toHaveText('after all epochs')
  await expect(training.run.getByRole('region', { name: 'Epochs' }).getByRole('row')).toHaveCount(4)
})

test('takes over published settings with an architecture, and gives them back', async ({ page }) => {
  const training = new TrainingPage(page)
  await training.goTo('Library')
  await page.getByRole('link', { name: 'Train …' }).first().click()
  await training.choose('Architecture', /AE400-10/)
  await expect(training.form.getByLabel('Weight decay', { exact: true })).toHaveValue('0.000001')
  await expect(training.form.getByLabel('Sparsity', { exact: true })).toHaveValue('0.5')
  await training.choose('Architecture', /Softmax on pixels/)
  await training.choose('Settings', /λ 1$/)
  await expect(training.form.getByLabel('Weight decay', { exact: true })).toHaveValue('1')
  await expect(training.form.getByLabel('Iterations', { exact: true })).toHaveValue('600')
  await training.choose('Architecture', /LeNet-5/)
  await expect(training.form.getByLabel('Weight decay', { exact: true })).toHaveValue('0')
  await expect(training.form.getByLabel('Learning rate', { exact: true })).toHaveValue('0.001')
})
