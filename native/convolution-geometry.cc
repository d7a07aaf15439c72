#ifdef CONVSCOPE_OWN_KERNELS
#include "convolution-geometry.h"

#include <algorithm>
#include <iterator>

namespace convscope {

ConvolutionGeometry ConvolutionGeometry::Read(const std::vector<int64_t>& numbers) {
  ConvolutionGeometry g;
  if (numbers.size() < 2 || numbers[0] < 0 || numbers[0] >= static_cast<int64_t>(Activation::kCount)) return g;
  const int64_t rank = numbers[1];
  if (rank < 0 || rank > 8 || static_cast<int64_t>(numbers.size()) != rank + 15) return g;
  g.activation = static_cast<Activation>(numbers[0]);
  g.output.assign(numbers.begin() + 2, numbers.begin() + 2 + rank);
  int64_t* const members[] = {&g.batch, &g.height, &g.width, &g.channels, &g.filter_height, &g.filter_width, &g.filters,
                              &g.stride_down, &g.stride_across, &g.above, &g.left, &g.out_height, &g.out_width};
  for (int i = 0; i < 13; i++) *members[i] = numbers[2 + rank + i];
  const bool positive = std::all_of(std::begin(members), std::begin(members) + 9, [](int64_t* value) { return *value > 0; });
  const bool small = std::all_of(numbers.begin(), numbers.end(), [](int64_t value) { return value >= 0 && value < (1 << 24); });
  const auto fits = [](double a, int64_t b, int64_t c, int64_t d) { return a * b * c * d < 1e12; };
  g.valid = positive && small && fits(g.batch, g.height, g.width, g.channels) &&
            fits(g.batch, g.out_height, g.out_width, g.filters) &&
            fits(g.filter_height, g.filter_width, g.channels, g.filters) && g.out_height > 0 && g.out_width > 0 && g.above < g.filter_height && g.left < g.filter_width &&
            (g.out_height - 1) * g.stride_down < g.above + g.height && (g.out_width - 1) * g.stride_across < g.left + g.width;
  return g;
}

void Frame::Copy(const float* image, int64_t image_height, int64_t image_width, float* to) const {
  const int64_t first = std::min(left, width);
  const int64_t seen = std::min(image_width, width - first);
  for (int64_t row = 0; row < height; row++, to += width * channels) {
    if (row < above || row - above >= image_height) {
      std::fill_n(to, width * channels, 0.0f);
      continue;
    }
    std::fill_n(to, first * channels, 0.0f);
    std::copy_n(image + (row - above) * image_width * channels, seen * channels, to + first * channels);
    std::fill_n(to + (first + seen) * channels, (width - first - seen) * channels, 0.0f);
  }
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
