// Inner loops of what is done to whole pictures (channels-last); see vector-loops.h for where they may run.
#pragma once

#include <stdint.h>

namespace convscope {

// measures[p] = sum over the channels of pictures², or with `factors` the size of the sum of factors * pictures; each product rounded, summed in order.
void MeasurePixels(const float* pictures, const float* factors, int64_t pixels, int64_t channels, float* measures);

// out = pictures * 1 where the pixel's measure reaches the threshold, else * 0.
void KeepPixels(const float* pictures, const float* measures, float threshold, int64_t pixels, int64_t channels, float* out);

// The columns from `first` up to before `end` of which a row has numbers other than 0; an empty row has first = end = 0.
struct Band {
  int64_t first, end;
};
Band BandOf(const float* row, int64_t size);

// Rows of a picture that are blurred at once.
constexpr int64_t kRowsAtOnce = 8;
// Floats in each of the two pieces of memory that BlurRows works in.
inline int64_t BlurMemory(int64_t width, int64_t channels) { return (width * channels + kRowsAtOnce) * kRowsAtOnce; }

// Rows first … first + 7 (where there are so many) of down · picture · acrossᵀ, whose bands are given; `down` is [height, height], `across`
// [width, width].
void BlurRows(const float* down, const Band* down_bands, const float* across, const Band* across_bands, const float* picture,
              int64_t height, int64_t width, int64_t channels, int64_t first, float* const (&memory)[2], float* out);

}  // namespace convscope
