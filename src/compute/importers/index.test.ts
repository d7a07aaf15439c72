import { describe, expect, it } from 'vitest'
import { formatOf } from './index.ts'
import { exampleFiles } from './testing/example-files.ts'

describe('formatOf', () => {
  it.for([
    ['ta.onnx', 'ta.keras', /ta\.keras is another network than that of ONNX/],
    ['tb-v2.caffemodel', 'tb.onnx', /tb\.onnx is another network than that of Caffe/],
    ['tb.onnx', 'tb-matconvnet.mat', /tb-matconvnet\.mat is another network than that of ONNX/],
    ['ta-tfjs/model.json', 'ta.pth', /ta\.pth is another network than that of TensorFlow\.js/],
  ] as const)('refuses files of two networks: %s and %s', ([first, second, message]) => {
    expect(() => formatOf(exampleFiles(first, second))).toThrow(message)
  })

  it.for([
    ['Caffe', 'tb-v2.caffemodel', 'tb-v2.prototxt', 'tb-mean.binaryproto'],
    ['Caffe', 'tb-v1.caffemodel', 'tb-v1.prototxt', 'tb-mean.npy'],
    ['TensorFlow.js', 'ta-tfjs/model.json', 'ta-tfjs/group1-shard1of2.bin', 'ta-tfjs/group1-shard2of2.bin'],
  ])('takes files that belong together: %s', ([format, ...names]) => {
    expect(formatOf(exampleFiles(...names))).toBe(format)
  })
})
