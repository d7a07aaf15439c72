#ifdef CONVSCOPE_OWN_KERNELS
#define CONVSCOPE_LOADER
#include "convolution-geometry.h"
#include "kernel-threads.h"
#include "own-kernels.h"

#include <algorithm>

// Convolutions and their gradients for batches of small images, and products of matrices, which are convolutions of 1×1 images. Nothing is arranged in
// patches: for each row of a filter, what it sees of a channels-last image lies in one piece.
namespace convscope {

namespace {

// Rows that are multiplied with a block of the filter while it stays in the cache.
constexpr int64_t kRowsTogether = 48;
// Places of the convolved images whose products are summed while what they see stays in the nearest cache.
constexpr int64_t kPlacesTogether = 128;
// Numbers to arrange from which on a second thread gains.
constexpr int64_t kWorthThreads = 16384;

template <typename Body>
void ForEachRange(int64_t count, int64_t together, Body body) {
  ForEachTask(Ceil(count, together), [&](int64_t task) { body(task * together, std::min(count, (task + 1) * together)); });
}

class ConvolutionKernel : public Kernel {
 public:
  explicit ConvolutionKernel(const ConvolutionGeometry& geometry) : g(geometry) {}

 protected:
  // After the first two inputs come a bias for each of `channels`, where there is one, and for the gradient of an activation what this returned.
  bool ReadFinish(Call* call, int64_t channels, const float* out, Finish* finish) const {
    const int gradient = g.activation == Activation::kReluGradient || g.activation == Activation::kSigmoidGradient ? 1 : 0;
    const int inputs = call->inputs();
    *finish = {nullptr, g.activation, nullptr, out};
    if (inputs < 2 + gradient || inputs > 3 + gradient) call->Fail("the number of inputs does not fit the activation");
    if (inputs == 3 + gradient) finish->bias = call->Input(2, channels);
    if (gradient == 1) finish->returned = call->Input(inputs - 1, ElementCount(g.output));
    return !call->failed();
  }

  int64_t ImagesTogether(int64_t rows) const { return std::max<int64_t>(1, Ceil(kRowsTogether, rows)); }

  const ConvolutionGeometry g;
};

class Convolution : public ConvolutionKernel {
 public:
  using ConvolutionKernel::ConvolutionKernel;

  void Compute(Call* call) const override {
    const float* x = call->Input(0, g.batch * g.image());
    const float* filter = call->Input(1, g.filter());
    Finish finish;
    float* out = call->Output(0, g.output);
    if (!ReadFinish(call, g.filters, out, &finish)) return;
    if (g.row_by_row()) {
      for (int64_t row = 0; row < g.batch; row++)
        RowTimesMatrix(x + row * g.channels, filter, g.channels, g.filters, finish, out + row * g.filters);
      return;
    }
    const int64_t depth = g.filter_height * g.filter_width * g.channels;
    float* packed = Scratch(0, depth * PaddedColumns(g.filters));
    ForEachRange(depth, std::max<int64_t>(1, kWorthThreads / g.filters), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) PackRow(filter + row * g.filters, 1, g.filters, row, depth, packed);
    });
    const Frame frame{g.above, g.left, (g.out_height - 1) * g.stride_down + g.filter_height,
                      (g.out_width - 1) * g.stride_across + g.filter_width, g.channels};
    const bool in_place = frame.Within(g.height, g.width);
    const int64_t line = (in_place ? g.width : frame.width) * g.channels;
    std::vector<int64_t> segments(g.filter_height);
    for (int64_t row = 0; row < g.filter_height; row++) segments[row] = row * line;
    ForEachRange(g.batch, ImagesTogether(g.out_height * g.out_width), [&](int64_t begin, int64_t end) {
      std::vector<const float*> rows;
      std::vector<float*> results;
      rows.reserve((end - begin) * g.out_height * g.out_width);
      results.reserve(rows.capacity());
      float* framed = in_place ? nullptr : Scratch(1, (end - begin) * frame.size());
      for (int64_t image = begin; image < end; image++) {
        const float* from = x + image * g.image();
        if (!in_place) {
          float* to = framed + (image - begin) * frame.size();
          frame.Copy(from, g.height, g.width, to);
          from = to;
        }
        for (int64_t down = 0; down < g.out_height; down++) {
          for (int64_t across = 0; across < g.out_width; across++) {
            rows.push_back(from + down * g.stride_down * line + across * g.stride_across * g.channels);
            results.push_back(out + image * g.convolved() + (down * g.out_width + across) * g.filters);
          }
        }
      }
      ProductOfRows(rows.data(), static_cast<int64_t>(rows.size()), segments.data(), g.filter_height,
                    g.filter_width * g.channels, packed, g.filters, finish, results.data());
    });
  }
};

// Along one axis, the rows (or columns) of the image that see the same rows of the filter: every stride-th, starting with `first`.
struct Phase {
  int64_t first;  // row of the image
  int64_t taps;   // rows of the filter that they see: tap, tap + stride, …
  int64_t tap;
  int64_t from;   // row of the framed signal where the last of these taps lies for `first`
};

std::vector<Phase> Phases(int64_t size, int64_t filter, int64_t stride, int64_t before) {
  std::vector<Phase> phases;
  const int64_t most = Ceil(filter, stride);
  for (int64_t first = 0; first < std::min(stride, size); first++) {
    const int64_t tap = (first + before) % stride;
    const int64_t taps = tap < filter ? Ceil(filter - tap, stride) : 0;
    phases.push_back({first, taps, tap, (first + before) / stride - taps + most});
  }
  return phases;
}

// The gradient by the input, which is also a transposed convolution. With a stride, each phase of the image is a convolution of the signal with the
// part of the turned filter that it sees.
class ConvolutionInputGradient : public ConvolutionKernel {
 public:
  explicit ConvolutionInputGradient(const ConvolutionGeometry& geometry)
      : ConvolutionKernel(geometry),
        down_(Phases(g.height, g.filter_height, g.stride_down, g.above)),
        across_(Phases(g.width, g.filter_width, g.stride_across, g.left)) {}

  void Compute(Call* call) const override {
    const float* dy = call->Input(0, g.batch * g.convolved());
    const float* filter = call->Input(1, g.filter());
    Finish finish;
    float* out = call->Output(0, g.output);
    if (!ReadFinish(call, g.channels, out, &finish)) return;
    if (g.row_by_row()) {
      for (int64_t row = 0; row < g.batch; row++)
        RowTimesTransposed(dy + row * g.filters, filter, g.filters, g.channels, finish, out + row * g.channels);
      return;
    }
    const int64_t padded = PaddedColumns(g.channels);
    float* packed = Scratch(0, g.filter_height * g.filter_width * g.filters * padded);
    std::vector<float*> parts;
    for (const Phase& down : down_) {
      for (const Phase& across : across_) {
        parts.push_back(packed);
        packed += down.taps * across.taps * g.filters * padded;
        Pack(filter, down, across, parts.back());
      }
    }
    const int64_t above = Ceil(g.filter_height, g.stride_down) - 1, left = Ceil(g.filter_width, g.stride_across) - 1;
    const Frame frame{above, left, above + 1 + (g.height - 1 + g.above) / g.stride_down,
                      left + 1 + (g.width - 1 + g.left) / g.stride_across, g.filters};
    const int64_t rows_each = Ceil(g.height, g.stride_down) * Ceil(g.width, g.stride_across);
    ForEachRange(g.batch, ImagesTogether(rows_each), [&](int64_t begin, int64_t end) {
      const bool in_place = frame.Within(g.out_height, g.out_width) && frame.height == g.out_height && frame.width == g.out_width;
      float* framed = in_place ? nullptr : Scratch(1, (end - begin) * frame.size());
      for (int64_t image = begin; !in_place && image < end; image++)
        frame.Copy(dy + image * g.convolved(), g.out_height, g.out_width, framed + (image - begin) * frame.size());
      const float* signal = in_place ? dy + begin * frame.size() : framed;
      size_t part = 0;
      for (const Phase& down : down_)
        for (const Phase& across : across_)
          Multiply(signal, frame, down, across, begin, end, parts[part++], finish, out);
    });
  }

 private:
  void Pack(const float* filter, const Phase& down, const Phase& across, float* packed) const {
    const int64_t depth = down.taps * across.taps * g.filters;
    ForEachRange(depth, std::max<int64_t>(1, kWorthThreads / g.channels), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row++) {
        const int64_t place = row / g.filters;
        const int64_t tap_down = down.tap + (down.taps - 1 - place / across.taps) * g.stride_down;
        const int64_t tap_across = across.tap + (across.taps - 1 - place % across.taps) * g.stride_across;
        const float* from = filter + (tap_down * g.filter_width + tap_across) * g.channels * g.filters + row % g.filters;
        PackRow(from, g.filters, g.channels, row, depth, packed);
      }
    });
  }

  void Multiply(const float* signal, const Frame& frame, const Phase& down, const Phase& across, int64_t begin, int64_t end,
                const float* packed, Finish finish, float* out) const {
    const int64_t line = frame.width * frame.channels;
    std::vector<int64_t> segments(down.taps);
    for (int64_t tap = 0; tap < down.taps; tap++) segments[tap] = tap * line;
    std::vector<const float*> rows;
    std::vector<float*> results;
    rows.reserve((end - begin) * Ceil(g.height, g.stride_down) * Ceil(g.width, g.stride_across));
    results.reserve(rows.capacity());
    for (int64_t image = begin; image < end; image++) {
      for (int64_t y = down.first, u = down.from; y < g.height; y += g.stride_down, u++) {
        for (int64_t x = across.first, v = across.from; x < g.width; x += g.stride_across, v++) {
          rows.push_back(signal + (image - begin) * frame.size() + u * line + v * frame.channels);
          results.push_back(out + image * g.image() + (y * g.width + x) * g.channels);
        }
      }
    }
    ProductOfRows(rows.data(), static_cast<int64_t>(rows.size()), segments.data(), down.taps, across.taps * g.filters, packed,
                  g.channels, finish, results.data());
  }

  const std::vector<Phase> down_, across_;
};

class ConvolutionFilterGradient : public ConvolutionKernel {
 public:
  using ConvolutionKernel::ConvolutionKernel;

  void Compute(Call* call) const override {
    const float* x = call->Input(0, g.batch * g.image());
    const float* dy = call->Input(1, g.batch * g.convolved());
    float* out = call->Output(0, g.output);
    if (call->failed()) return;
    const Frame frame{g.above, g.left, (g.out_height - 1) * g.stride_down + g.filter_height,
                      (g.out_width - 1) * g.stride_across + g.filter_width, g.channels};
    const bool in_place = frame.Within(g.height, g.width);
    const int64_t size = in_place ? g.image() : frame.size();
    const int64_t line = (in_place ? g.width : frame.width) * g.channels;
    const float* framed = x;
    if (!in_place) {
      float* to = Scratch(0, g.batch * size);
      framed = to;
      ForEachRange(g.batch, std::max<int64_t>(1, kWorthThreads / size), [&](int64_t begin, int64_t end) {
        for (int64_t image = begin; image < end; image++) frame.Copy(x + image * g.image(), g.height, g.width, to + image * size);
      });
    }
    const int64_t taps = g.filter_width * g.channels;
    // Pieces of 12 taps fill the registers. The same pieces on every machine, each summed in one order.
    const int64_t together = std::max<int64_t>(12, Ceil(Ceil(taps * g.filter_height, 12), 12) * 12);
    const int64_t pieces = Ceil(taps, together);
    const int64_t places = g.out_height * g.out_width;
    ForEachTask(g.filter_height * pieces, [&](int64_t task) {
      const int64_t tap_down = task / pieces, first = task % pieces * together;
      const float* rows[kPlacesTogether];
      const float* signals[kPlacesTogether];
      int64_t count = 0;
      bool add = false;
      for (int64_t place = 0; place < g.batch * places; place++) {
        const int64_t down = place % places / g.out_width, across = place % g.out_width;
        rows[count] = framed + place / places * size + (down * g.stride_down + tap_down) * line +
                      across * g.stride_across * g.channels + first;
        signals[count++] = dy + place * g.filters;
        if (count < kPlacesTogether && place + 1 < g.batch * places) continue;
        ProductOfTaps(rows, signals, count, std::min(together, taps - first), g.filters, add,
                      out + (tap_down * taps + first) * g.filters);
        count = 0;
        add = true;
      }
    });
  }
};

template <typename Made>
std::unique_ptr<Kernel> Make(const std::vector<int64_t>& numbers, int64_t (*elements)(const ConvolutionGeometry&)) {
  const ConvolutionGeometry geometry = ConvolutionGeometry::Read(numbers);
  if (!geometry.valid || ElementCount(geometry.output) != elements(geometry)) return nullptr;
  return std::make_unique<Made>(geometry);
}

}  // namespace

std::unique_ptr<Kernel> MakeConvolution(const std::vector<int64_t>& numbers) {
  return Make<Convolution>(numbers, [](const ConvolutionGeometry& g) { return g.batch * g.convolved(); });
}

std::unique_ptr<Kernel> MakeConvolutionInputGradient(const std::vector<int64_t>& numbers) {
  return Make<ConvolutionInputGradient>(numbers, [](const ConvolutionGeometry& g) { return g.batch * g.image(); });
}

std::unique_ptr<Kernel> MakeConvolutionFilterGradient(const std::vector<int64_t>& numbers) {
  return Make<ConvolutionFilterGradient>(numbers, [](const ConvolutionGeometry& g) { return g.filter(); });
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
