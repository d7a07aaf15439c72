// Shapes of a convolution of channels-last images, and what its three kernels share.
#pragma once

#include <stdint.h>

#include <vector>

#include "vector-loops.h"

namespace convscope {

/**
 * Read from a list of integers: activation; rank and dimensions of the output tensor; batch, height, width, channels of the image; height, width of
 * the filter; channels after it; strides; rows above and columns left of the image; height and width of the convolved image.
 */
struct ConvolutionGeometry {
  bool valid = false;
  Activation activation = Activation::kNone;
  std::vector<int64_t> output;
  int64_t batch, height, width, channels, filter_height, filter_width, filters;
  int64_t stride_down, stride_across, above, left, out_height, out_width;

  // `elements` of the output are those of the tensor that the kernel makes.
  static ConvolutionGeometry Read(const std::vector<int64_t>& numbers);

  int64_t image() const { return height * width * channels; }
  int64_t convolved() const { return out_height * out_width * filters; }
  int64_t filter() const { return filter_height * filter_width * channels * filters; }
  // One row of one image with a 1×1 filter: a product of a row with a matrix.
  bool row_by_row() const {
    return batch <= 3 && height == 1 && width == 1 && filter_height == 1 && filter_width == 1 && out_height == 1 && out_width == 1;
  }
};

inline int64_t Ceil(int64_t value, int64_t divisor) { return (value + divisor - 1) / divisor; }

/** Images with zeros around them, each `height` × `width` × channels. */
struct Frame {
  int64_t above, left, height, width, channels;
  int64_t size() const { return height * width * channels; }
  // Copies one image of the given height and width into the frame; what reaches beyond the frame is left out.
  void Copy(const float* image, int64_t image_height, int64_t image_width, float* to) const;
  // Whether the frame lies within the image, so that the image itself will do.
  bool Within(int64_t image_height, int64_t image_width) const {
    return above == 0 && left == 0 && height <= image_height && width <= image_width;
  }
};

}  // namespace convscope
