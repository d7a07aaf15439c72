/** The messages of Caffe's `caffe.proto` as far as networks for inference need them; names and numbers are Caffe's. */
import {
  boolean,
  bytes,
  embedded,
  float,
  integer,
  MessageType,
  named,
  optional,
  repeated,
  stored,
  text,
  type Decoded,
} from '../protobuf/message.ts'

const BlobShape = new MessageType({ dim: repeated(1, integer) })

export const Blob = new MessageType({
  num: optional(1, integer),
  channels: optional(2, integer),
  height: optional(3, integer),
  width: optional(4, integer),
  data: stored(5, 'float32'),
  shape: optional(7, embedded(BlobShape)),
  double_data: stored(8, 'float64'),
  /** NVIDIA's Caffe. */
  raw_data_type: optional(10, named({ 0: 'float64', 1: 'float32', 2: 'float16' })),
  raw_data: optional(12, bytes),
})
export type Blob = Decoded<typeof Blob>

const phase = named({ 0: 'TRAIN', 1: 'TEST' })
const StateRule = new MessageType({ phase: optional(1, phase), stage: repeated(4, text) })
const Transform = new MessageType({
  scale: optional(1, float),
  crop_size: optional(3, integer),
  mean_file: optional(4, text),
  mean_value: repeated(5, float),
})
/** Of data layers before `transform_param` came up. */
const Data = new MessageType({ scale: optional(2, float), crop_size: optional(5, integer) })
const Convolution = new MessageType({
  num_output: optional(1, integer),
  bias_term: optional(2, boolean),
  pad: repeated(3, integer),
  kernel_size: repeated(4, integer),
  group: optional(5, integer),
  stride: repeated(6, integer),
  pad_h: optional(9, integer),
  pad_w: optional(10, integer),
  kernel_h: optional(11, integer),
  kernel_w: optional(12, integer),
  stride_h: optional(13, integer),
  stride_w: optional(14, integer),
  axis: optional(16, integer),
  dilation: repeated(18, integer),
})
export type ConvolutionParameter = Decoded<typeof Convolution>
const Pooling = new MessageType({
  pool: optional(1, named({ 0: 'MAX', 1: 'AVE', 2: 'STOCHASTIC' })),
  kernel_size: optional(2, integer),
  stride: optional(3, integer),
  pad: optional(4, integer),
  kernel_h: optional(5, integer),
  kernel_w: optional(6, integer),
  stride_h: optional(7, integer),
  stride_w: optional(8, integer),
  pad_h: optional(9, integer),
  pad_w: optional(10, integer),
  global_pooling: optional(12, boolean),
  round_mode: optional(13, named({ 0: 'CEIL', 1: 'FLOOR' })),
})
const Lrn = new MessageType({
  local_size: optional(1, integer),
  alpha: optional(2, float),
  beta: optional(3, float),
  norm_region: optional(4, named({ 0: 'ACROSS_CHANNELS', 1: 'WITHIN_CHANNEL' })),
  k: optional(5, float),
})
const InnerProduct = new MessageType({
  num_output: optional(1, integer),
  bias_term: optional(2, boolean),
  axis: optional(5, integer),
  transpose: optional(6, boolean),
})
const Eltwise = new MessageType({
  operation: optional(1, named({ 0: 'PROD', 1: 'SUM', 2: 'MAX' })),
  coeff: repeated(2, float),
})
const Concat = new MessageType({ concat_dim: optional(1, integer), axis: optional(2, integer) })
const Scale = new MessageType({
  axis: optional(1, integer),
  num_axes: optional(2, integer),
  bias_term: optional(4, boolean),
})
const Bias = new MessageType({ axis: optional(1, integer), num_axes: optional(2, integer) })
const Power = new MessageType({ power: optional(1, float), scale: optional(2, float), shift: optional(3, float) })

/** Parameters by the names that both generations of layers use. */
const parameters = {
  convolution_param: Convolution,
  pooling_param: Pooling,
  lrn_param: Lrn,
  inner_product_param: InnerProduct,
  eltwise_param: Eltwise,
  concat_param: Concat,
  dropout_param: new MessageType({ dropout_ratio: optional(1, float) }),
  relu_param: new MessageType({ negative_slope: optional(1, float) }),
  softmax_param: new MessageType({ axis: optional(2, integer) }),
  power_param: Power,
  transform_param: Transform,
}

/** A layer of today's files (`layer`). */
export const Layer = new MessageType({
  name: optional(1, text),
  type: optional(2, text),
  bottom: repeated(3, text),
  top: repeated(4, text),
  blobs: repeated(7, embedded(Blob)),
  include: repeated(8, embedded(StateRule)),
  exclude: repeated(9, embedded(StateRule)),
  phase: optional(10, phase),
  transform_param: optional(100, embedded(parameters.transform_param)),
  concat_param: optional(104, embedded(parameters.concat_param)),
  convolution_param: optional(106, embedded(parameters.convolution_param)),
  data_param: optional(107, embedded(Data)),
  dropout_param: optional(108, embedded(parameters.dropout_param)),
  eltwise_param: optional(110, embedded(parameters.eltwise_param)),
  inner_product_param: optional(117, embedded(parameters.inner_product_param)),
  lrn_param: optional(118, embedded(parameters.lrn_param)),
  pooling_param: optional(121, embedded(parameters.pooling_param)),
  power_param: optional(122, embedded(parameters.power_param)),
  relu_param: optional(123, embedded(parameters.relu_param)),
  softmax_param: optional(125, embedded(parameters.softmax_param)),
  reshape_param: optional(133, embedded(new MessageType({ shape: optional(1, embedded(BlobShape)) }))),
  flatten_param: optional(
    135,
    embedded(new MessageType({ axis: optional(1, integer), end_axis: optional(2, integer) })),
  ),
  batch_norm_param: optional(139, embedded(new MessageType({ eps: optional(3, float) }))),
  elu_param: optional(140, embedded(new MessageType({ alpha: optional(1, float) }))),
  bias_param: optional(141, embedded(Bias)),
  scale_param: optional(142, embedded(Scale)),
  input_param: optional(143, embedded(new MessageType({ shape: repeated(1, embedded(BlobShape)) }))),
})
export type Layer = Decoded<typeof Layer>

/** The types of `layers`, by number and by the name in text, with today's name. */
const V1_TYPES: readonly (readonly [number, string, string])[] = [
  [35, 'ABSVAL', 'AbsVal'],
  [1, 'ACCURACY', 'Accuracy'],
  [30, 'ARGMAX', 'ArgMax'],
  [2, 'BNLL', 'BNLL'],
  [3, 'CONCAT', 'Concat'],
  [37, 'CONTRASTIVE_LOSS', 'ContrastiveLoss'],
  [4, 'CONVOLUTION', 'Convolution'],
  [5, 'DATA', 'Data'],
  [39, 'DECONVOLUTION', 'Deconvolution'],
  [6, 'DROPOUT', 'Dropout'],
  [32, 'DUMMY_DATA', 'DummyData'],
  [7, 'EUCLIDEAN_LOSS', 'EuclideanLoss'],
  [25, 'ELTWISE', 'Eltwise'],
  [38, 'EXP', 'Exp'],
  [8, 'FLATTEN', 'Flatten'],
  [9, 'HDF5_DATA', 'HDF5Data'],
  [10, 'HDF5_OUTPUT', 'HDF5Output'],
  [28, 'HINGE_LOSS', 'HingeLoss'],
  [11, 'IM2COL', 'Im2col'],
  [12, 'IMAGE_DATA', 'ImageData'],
  [13, 'INFOGAIN_LOSS', 'InfogainLoss'],
  [14, 'INNER_PRODUCT', 'InnerProduct'],
  [15, 'LRN', 'LRN'],
  [29, 'MEMORY_DATA', 'MemoryData'],
  [16, 'MULTINOMIAL_LOGISTIC_LOSS', 'MultinomialLogisticLoss'],
  [34, 'MVN', 'MVN'],
  [17, 'POOLING', 'Pooling'],
  [26, 'POWER', 'Power'],
  [18, 'RELU', 'ReLU'],
  [19, 'SIGMOID', 'Sigmoid'],
  [27, 'SIGMOID_CROSS_ENTROPY_LOSS', 'SigmoidCrossEntropyLoss'],
  [36, 'SILENCE', 'Silence'],
  [20, 'SOFTMAX', 'Softmax'],
  [21, 'SOFTMAX_LOSS', 'SoftmaxWithLoss'],
  [33, 'SLICE', 'Slice'],
  [22, 'SPLIT', 'Split'],
  [23, 'TANH', 'TanH'],
  [24, 'WINDOW_DATA', 'WindowData'],
  [31, 'THRESHOLD', 'Threshold'],
]

/** A layer of files before 2014 (`layers`). */
export const LayerV1 = new MessageType({
  /** The layer within a layer of the very first files. */
  layer: optional(1, bytes),
  bottom: repeated(2, text),
  top: repeated(3, text),
  name: optional(4, text),
  type: optional(5, named(Object.fromEntries(V1_TYPES.map(([number, name]) => [number, name])))),
  blobs: repeated(6, embedded(Blob)),
  include: repeated(32, embedded(StateRule)),
  exclude: repeated(33, embedded(StateRule)),
  concat_param: optional(9, embedded(parameters.concat_param)),
  convolution_param: optional(10, embedded(parameters.convolution_param)),
  data_param: optional(11, embedded(Data)),
  dropout_param: optional(12, embedded(parameters.dropout_param)),
  inner_product_param: optional(17, embedded(parameters.inner_product_param)),
  lrn_param: optional(18, embedded(parameters.lrn_param)),
  pooling_param: optional(19, embedded(parameters.pooling_param)),
  power_param: optional(21, embedded(parameters.power_param)),
  eltwise_param: optional(24, embedded(parameters.eltwise_param)),
  relu_param: optional(30, embedded(parameters.relu_param)),
  transform_param: optional(36, embedded(parameters.transform_param)),
  softmax_param: optional(39, embedded(parameters.softmax_param)),
})
export type LayerV1 = Decoded<typeof LayerV1>

/** `NetParameter`: a .prototxt or a .caffemodel. */
export const Net = new MessageType({
  name: optional(1, text),
  layers: repeated(2, embedded(LayerV1)),
  input: repeated(3, text),
  input_dim: repeated(4, integer),
  input_shape: repeated(8, embedded(BlobShape)),
  layer: repeated(100, embedded(Layer)),
})
export type Net = Decoded<typeof Net>

const V1_TITLES = new Map(V1_TYPES.map(([, name, title]) => [name, title]))

/** A layer of either generation as one of today's. */
export function upgraded(layer: LayerV1): Layer {
  const { type } = layer
  return {
    ...Layer.empty(),
    ...layer,
    type: type === undefined ? undefined : (V1_TITLES.get(type) ?? type),
  }
}
