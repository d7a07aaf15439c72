import { describe, expect, it } from 'vitest'
import { nearestNames, suggestNames } from './nearest-names.ts'

const LAYERS = ['input', 'conv1', 'relu1', 'pool1', 'conv2', 'relu2', 'conv3_1', 'fc']

describe('names near to one that is not there', () => {
  it('differ by a few letters, in any case', () => {
    expect(nearestNames('Conv9', LAYERS)).toEqual(['conv1', 'conv2'])
    expect(nearestNames('rleu1', ['relu1', 'prelude'])).toEqual(['relu1'])
    expect(nearestNames('mnist-convnett', ['cifar-alexnet', 'mnist-convnet'])).toEqual(['mnist-convnet'])
  })

  it('contain what was given, or lie in it', () => {
    expect(nearestNames('conv3', LAYERS)).toContain('conv3_1')
    expect(nearestNames('cifar', ['mnist', 'cifar-10-sample'])).toEqual(['cifar-10-sample'])
  })

  it('are none for what is quite different', () => {
    expect(nearestNames('attention', LAYERS)).toEqual([])
    expect(suggestNames('attention', ['conv1'], 'Its layers are')).toBe('Its layers are conv1.')
    expect(suggestNames('conv', [], 'Its layers are')).toBe('')
  })

  it('are asked about, with a list that is not too long', () => {
    const many = Array.from({ length: 25 }, (_, index) => `conv${index}`)
    const text = suggestNames('conv7x', many, 'Its layers are')
    expect(text).toMatch(/^Did you mean "conv7"/)
    expect(text).toMatch(/conv19 and 5 more\.$/)
  })
})
