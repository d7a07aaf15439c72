#ifdef CONVSCOPE_OWN_KERNELS
#define CONVSCOPE_LOADER
#include "kernel-threads.h"
#include "own-kernels.h"
#include "sparse-loops.h"

#include <string.h>

#include <algorithm>
#include <cfloat>

// Max pooling with its switches, and the way back through them.
namespace convscope {

namespace {

// Channels of one image that are one task where there are few images.
constexpr int64_t kChannelsTogether = 64;

enum class Meeting : int64_t { kSum, kOverwrite, kLargest, kCount };

struct PoolGeometry {
  int64_t batch, height, width, channels, rows, columns, kernel_height, kernel_width, stride_down, stride_across, above, left;
  Meeting meeting;
  int64_t pictures;  // images of the switches: one for all signals, or one each
  bool valid = false;

  static PoolGeometry Read(const std::vector<int64_t>& numbers) {
    PoolGeometry g;
    if (numbers.size() != 14) return g;
    int64_t* const members[] = {&g.batch, &g.height, &g.width, &g.channels, &g.rows, &g.columns, &g.kernel_height, &g.kernel_width,
                                &g.stride_down, &g.stride_across, &g.above, &g.left};
    for (int i = 0; i < 12; i++) *members[i] = numbers[i];
    g.meeting = static_cast<Meeting>(numbers[12]);
    g.pictures = numbers[13];
    const auto all = [&](size_t first, size_t last, int64_t least) {
      return std::all_of(numbers.begin() + first, numbers.begin() + last, [&](int64_t n) { return n >= least && n < (1 << 24); });
    };
    const auto fits = [&](int64_t a, int64_t b) { return static_cast<double>(g.batch) * a * b * g.channels < 1e12; };
    g.valid = all(0, 10, 1) && all(10, 13, 0) && g.meeting < Meeting::kCount && (g.pictures == 1 || g.pictures == g.batch) &&
              fits(g.height, g.width) && fits(g.rows, g.columns) &&
              static_cast<double>(g.kernel_height) * g.kernel_width < 1e6;
    return g;
  }

  std::vector<int64_t> windows() const { return {batch, rows, columns, channels}; }
  int64_t pooled() const { return rows * columns * channels; }
  int64_t image() const { return height * width * channels; }
};

// Values [batch, rows, columns, channels] and switches of the same shape: the place, row by row in the window, of the first maximum. Windows are
// cut where the image ends; of a window outside it the value is the lowest number, and its first place.
class MaxPool : public Kernel {
 public:
  explicit MaxPool(const PoolGeometry& geometry) : g(geometry) {}

  void Compute(Call* call) const override {
    const float* x = call->Input(0, g.batch * g.image());
    float* largest = call->Output(0, g.windows());
    float* winners = call->Output(1, g.windows());
    if (call->failed()) return;
    ForEachTask(g.batch * g.rows, [&](int64_t task) {
      const float* image = x + task / g.rows * g.image();
      std::vector<const float*> cells;
      std::vector<float> places;
      for (int64_t column = 0; column < g.columns; column++) {
        const int64_t to = (task * g.columns + column) * g.channels;
        const int64_t top = task % g.rows * g.stride_down - g.above, left = column * g.stride_across - g.left;
        cells.clear();
        places.clear();
        for (int64_t down = std::max<int64_t>(0, -top); down < std::min(g.kernel_height, g.height - top); down++) {
          for (int64_t across = std::max<int64_t>(0, -left); across < std::min(g.kernel_width, g.width - left); across++) {
            cells.push_back(image + ((top + down) * g.width + left + across) * g.channels);
            places.push_back(static_cast<float>(down * g.kernel_width + across));
          }
        }
        if (cells.empty()) {
          const int64_t first = std::max<int64_t>(0, -top) * g.kernel_width + std::max<int64_t>(0, -left);
          std::fill_n(largest + to, g.channels, -FLT_MAX);
          std::fill_n(winners + to, g.channels, static_cast<float>(first));
          continue;
        }
        LargestOfCells(cells.data(), places.data(), static_cast<int64_t>(cells.size()), g.channels, largest + to, winners + to);
      }
    });
  }

 private:
  const PoolGeometry g;
};

// Marks cells at which nothing has arrived: no number that a computation gives.
constexpr uint32_t kUnreached = 0x7fedcba9;

// Signals [batch, rows, columns, channels] and switches [pictures, …] to [batch, height, width, channels], 0 where no window selects a cell. Of
// signals that meet, the windows row by row: their sum, the last, or the largest.
class Unpool : public Kernel {
 public:
  explicit Unpool(const PoolGeometry& geometry) : g(geometry) {}

  void Compute(Call* call) const override {
    const float* signals = call->Input(0, g.batch * g.pooled());
    const float* winners = call->Input(1, g.pictures * g.pooled());
    float* out = call->Output(0, {g.batch, g.height, g.width, g.channels});
    if (call->failed()) return;
    const int64_t parts = g.batch >= 4 ? 1 : (g.channels + kChannelsTogether - 1) / kChannelsTogether;
    const int64_t together = parts == 1 ? g.channels : kChannelsTogether;
    ForEachTask(g.batch * parts, [&](int64_t task) {
      const int64_t image = task / parts, first = task % parts * together;
      const float* switches = winners + (g.pictures == 1 ? 0 : image * g.pooled());
      Channels(signals + image * g.pooled(), switches, first, std::min(g.channels, first + together), out + image * g.image());
    });
  }

 private:
  void Channels(const float* signals, const float* winners, int64_t first, int64_t last, float* out) const {
    switch (g.meeting) {
      case Meeting::kSum: return Send(signals, winners, first, last, out, 0, [](float signal, float* cell) { *cell += signal; });
      case Meeting::kOverwrite: return Send(signals, winners, first, last, out, 0, [](float signal, float* cell) { *cell = signal; });
      default: break;
    }
    float unreached;
    memcpy(&unreached, &kUnreached, sizeof unreached);
    Send(signals, winners, first, last, out, unreached, [](float signal, float* cell) {
      if (IsUnreached(*cell) || signal > *cell || signal != signal) *cell = signal;
    });
    ForEachCell(first, last, out, [](float* from, float* to) {
      for (float* cell = from; cell < to; cell++)
        if (IsUnreached(*cell)) *cell = 0;
    });
  }

  // The given channels of each cell, or all cells at once.
  template <typename Body>
  void ForEachCell(int64_t first, int64_t last, float* out, Body body) const {
    if (last - first == g.channels) return body(out, out + g.image());
    for (float* cell = out; cell < out + g.image(); cell += g.channels) body(cell + first, cell + last);
  }

  template <typename Meet>
  void Send(const float* signals, const float* winners, int64_t first, int64_t last, float* out, float empty, Meet meet) const {
    ForEachCell(first, last, out, [&](float* from, float* to) { std::fill(from, to, empty); });
    const int64_t size = g.kernel_height * g.kernel_width;
    std::vector<int64_t> cells(size);
    for (int64_t row = 0; row < g.rows; row++) {
      for (int64_t column = 0; column < g.columns; column++) {
        const int64_t top = row * g.stride_down - g.above, left = column * g.stride_across - g.left;
        for (int64_t place = 0; place < size; place++) {
          const int64_t y = top + place / g.kernel_width, x = left + place % g.kernel_width;
          cells[place] = y < 0 || y >= g.height || x < 0 || x >= g.width ? -1 : (y * g.width + x) * g.channels;
        }
        const int64_t from = (row * g.columns + column) * g.channels;
        for (int64_t channel = first; channel < last; channel++) {
          const float winner = winners[from + channel];
          if (!(winner >= 0 && winner < size)) continue;
          const int64_t cell = cells[static_cast<int64_t>(winner)];
          if (cell >= 0) meet(signals[from + channel], out + cell + channel);
        }
      }
    }
  }

  static bool IsUnreached(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == kUnreached;
  }

  const PoolGeometry g;
};

template <typename Made>
std::unique_ptr<Kernel> Make(const std::vector<int64_t>& numbers) {
  const PoolGeometry geometry = PoolGeometry::Read(numbers);
  if (!geometry.valid) return nullptr;
  return std::make_unique<Made>(geometry);
}

}  // namespace

std::unique_ptr<Kernel> MakeMaxPool(const std::vector<int64_t>& numbers) { return Make<MaxPool>(numbers); }

std::unique_ptr<Kernel> MakeUnpool(const std::vector<int64_t>& numbers) { return Make<Unpool>(numbers); }

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
