import { mount, type VueWrapper } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { changeDisplay } from '../../ui/display.ts'
import EvolutionFigure from './evolution-figure.vue'

/** Grey levels of the first pixels of every sheet that was painted: one picture of one pixel an epoch. */
let painted: number[][]
let figure: VueWrapper

beforeEach(() => {
  painted = []
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe = (): void => undefined
      disconnect = (): void => undefined
    },
  )
  const context = {
    createImageData: (width: number, height: number) => ({ data: new Uint8ClampedArray(width * height * 4) }),
    putImageData: ({ data }: ImageData) => painted.push([data[0] ?? -1, data[4] ?? -1]),
  }
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(context as unknown as null)
  figure = mount(EvolutionFigure, { props })
})
afterEach(() => {
  figure.unmount()
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  changeDisplay({ content: 'colour', gamma: 1 })
})

const props: InstanceType<typeof EvolutionFigure>['$props'] = {
  layer: { layer: 'conv1', channels: [{ channel: 3, strongest: [{ picture: 5, value: 2, position: null }, null] }] },
  epochs: [1, 10],
  projections: { shape: [1, 2, 1, 1, 1], values: new Float32Array([-4, 2]) },
  ...{ scale: 'per-picture', bgr: false },
}

it('follows the display: scale, gamma, and norms', async () => {
  expect(painted.at(-1)).toEqual([0, 255])
  await figure.setProps({ scale: 'shared' })
  expect(painted.at(-1)).toEqual([0, 192])
  changeDisplay({ gamma: 0.5 })
  await nextTick()
  expect(painted.at(-1)?.[1]).toBeGreaterThan(192)
  changeDisplay({ content: 'norm', gamma: 1 })
  await nextTick()
  expect(painted.at(-1)).toEqual([255, 128])
  expect(figure.text()).toContain('norm, shared')
})

it('says where nothing excites a channel', async () => {
  expect(figure.get('[role="status"]').text()).toBe('conv1 / 3, epoch 1: activation 2.000, picture 5')
  await figure.get('[role="listbox"]').trigger('keydown', { key: 'End' })
  expect(figure.get('[role="status"]').text()).toBe('conv1 / 3, epoch 10: dead')
})
