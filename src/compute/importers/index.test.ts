import { describe, expect, it } from 'vitest'
import { formatOf } from './index.ts'
import { exampleFiles } from './testing/example-files.ts'

describe('formatOf', () => {
  it.for([
    ['ta.onnx', 'ta.keras', /ta\.onnx and ta\.keras are two networks/],
    ['ta.onnx', 'tb.onnx', /ta\.onnx and tb\.onnx are two networks/],
    ['ta.pth', 'tb.pth', /ta\.pth and tb\.pth are two networks/],
    ['tb-v1.caffemodel', 'tb-matconvnet.mat', /tb-matconvnet\.mat is another network than that of Caffe/],
    ['tb-v2.caffemodel', 'tb.onnx', /tb\.onnx is another network than that of Caffe/],
    ['ta-tfjs/model.json', 'ta.pth', /model\.json and ta\.pth are two networks/],
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
