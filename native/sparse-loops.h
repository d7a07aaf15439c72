// Inner loops of the kernels for signals that are mostly zeros and for max pooling; what vector-loops.h says holds here too.
#pragma once

#include <stdint.h>

namespace convscope {

// One row of a filter as the sparse gradient reads it: its width × channels numbers for each filter, in blocks of up to 64, each
// [filters, width] and filled up with zeros. src/compute/engines/tensorflow-walk-kernels.ts arranges it so.
struct SparseTaps {
  int64_t length;
  int64_t blocks;
  int64_t width;
  int64_t filters;
  int64_t size() const { return blocks * width * filters; }
  static SparseTaps Of(int64_t length, int64_t filters) {
    const int64_t blocks = (length + 63) / 64;
    return {length, blocks, ((length + blocks - 1) / blocks + 7) / 8 * 8, filters};
  }
};

// The numbers of `signal` that are not zero and their places, in order; returns how many.
int64_t CollectSignals(const float* signal, int64_t count, float* values, int32_t* places);

// sums[i] += sum over k of values[k] * weights[places[k] * step + i], for i < width <= 64; rows of `weights` are filled up to whole vectors.
void AddWeighted(const float* values, const int32_t* places, int64_t count, const float* weights, int64_t step, int64_t width, float* sums);

// For each of `channels`: the largest of the cells at cells[k] + channel, and the first k at which it lies, as `places[k]`.
void LargestOfCells(const float* const* cells, const float* places, int64_t count, int64_t channels, float* largest, float* winners);

}  // namespace convscope
