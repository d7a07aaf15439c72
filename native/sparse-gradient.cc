#ifdef CONVSCOPE_OWN_KERNELS
#define CONVSCOPE_LOADER
#include "convolution-geometry.h"
#include "kernel-threads.h"
#include "own-kernels.h"
#include "sparse-loops.h"

#include <algorithm>

// The gradient of a convolution by its input for signals that are mostly zeros, as behind a max pooling: each of their other numbers adds its part of
// the filter, and nothing is computed for the zeros.
namespace convscope {

namespace {

// Parts of one image that different threads may compute where there are few images.
constexpr int64_t kParts = 4;

// Inputs: the signal [batch, out height, out width, filters], and the filter in the arrangement of SparseTaps. An infinite or undefined weight that
// meets a zero adds nothing.
class SparseInputGradient : public Kernel {
 public:
  explicit SparseInputGradient(const ConvolutionGeometry& geometry)
      : g(geometry),
        taps_(SparseTaps::Of(g.filter_width * g.channels, g.filters)),
        line_(std::max(g.left + g.width, (g.out_width - 1) * g.stride_across + g.filter_width) * g.channels),
        in_place_(g.above == 0 && g.left == 0 && line_ == g.width * g.channels) {}

  void Compute(Call* call) const override {
    const float* dy = call->Input(0, g.batch * g.convolved());
    const float* filter = call->Input(1, g.filter_height * taps_.size());
    float* out = call->Output(0, g.output);
    if (call->failed()) return;
    const int64_t parts = g.batch >= kParts ? 1 : std::min(kParts, g.height);
    const int64_t rows = Ceil(g.height, parts);
    ForEachTask(g.batch * parts, [&](int64_t task) {
      const int64_t image = task / parts, first = task % parts * rows;
      const int64_t last = std::min(g.height, first + rows);
      if (first >= last) return;
      Rows(dy + image * g.convolved(), filter, first, last, out + image * g.image());
    });
  }

 private:
  // Rows `first` to `last` - 1 of one image.
  void Rows(const float* dy, const float* filter, int64_t first, int64_t last, float* out) const {
    const int64_t top = first + g.above, bottom = last + g.above;
    const int64_t from = std::max<int64_t>(0, Ceil(top - g.filter_height + 1, g.stride_down));
    const int64_t to = std::min(g.out_height, (bottom - 1) / g.stride_down + 1);
    float* sums = in_place_ ? out + first * line_ : Scratch(1, (last - first) * line_);
    std::fill_n(sums, (last - first) * line_, 0.0f);
    if (to > from) Add(dy, filter, from, to, top, bottom, sums);
    for (int64_t row = first; !in_place_ && row < last; row++) {
      const float* line = sums + (row - first) * line_ + g.left * g.channels;
      std::copy_n(line, g.width * g.channels, out + row * g.width * g.channels);
    }
  }

  // What rows `from` to `to` - 1 of the signal add to rows `top` to `bottom` - 1 of the image with its margins.
  void Add(const float* dy, const float* filter, int64_t from, int64_t to, int64_t top, int64_t bottom, float* sums) const {
    const int64_t places = (to - from) * g.out_width;
    float* values = Scratch(2, places * g.filters);
    std::vector<int32_t> filters(places * g.filters);
    std::vector<int64_t> starts(places + 1, 0);
    for (int64_t place = 0; place < places; place++) {
      const float* signal = dy + (from * g.out_width + place) * g.filters;
      const int64_t start = starts[place];
      starts[place + 1] = start + CollectSignals(signal, g.filters, values + start, filters.data() + start);
    }
    for (int64_t tap = 0; tap < g.filter_height; tap++) {
      for (int64_t block = 0; block < taps_.blocks; block++) {
        const float* weights = filter + tap * taps_.size() + block * g.filters * taps_.width;
        const int64_t width = std::min(taps_.width, taps_.length - block * taps_.width);
        for (int64_t row = from; row < to; row++) {
          const int64_t reached = row * g.stride_down + tap;
          if (reached < top || reached >= bottom) continue;
          float* line = sums + (reached - top) * line_ + block * taps_.width;
          const int64_t* start = starts.data() + (row - from) * g.out_width;
          for (int64_t column = 0; column < g.out_width; column++) {
            const int64_t count = start[column + 1] - start[column];
            if (count == 0) continue;
            AddWeighted(values + start[column], filters.data() + start[column], count, weights, taps_.width, width,
                        line + column * g.stride_across * g.channels);
          }
        }
      }
    }
  }

  const ConvolutionGeometry g;
  const SparseTaps taps_;
  const int64_t line_;
  const bool in_place_;
};

}  // namespace

std::unique_ptr<Kernel> MakeSparseInputGradient(const std::vector<int64_t>& numbers) {
  const ConvolutionGeometry geometry = ConvolutionGeometry::Read(numbers);
  const bool fits = geometry.valid && geometry.activation == Activation::kNone &&
                    ElementCount(geometry.output) == geometry.batch * geometry.image();
  if (!fits) return nullptr;
  return std::make_unique<SparseInputGradient>(geometry);
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
