#ifdef CONVSCOPE_OWN_KERNELS
#define CONVSCOPE_LOADER
#include "kernel-threads.h"
#include "own-kernels.h"
#include "picture-loops.h"

#include <string.h>

#include <algorithm>

// The regularisers of activation maximisation that go through whole pictures several times: what falls below a percentile, and blur.
namespace convscope {
namespace {

// Smaller measures count as 0, as they do where the threshold is searched by counting.
constexpr uint32_t kSmallest = (127 - 102) << 23;
constexpr uint32_t kInfinity = 0x7f800000;
// Numbers that are not negative are in the order of their bits; the first 12 of them tell enough apart to leave few candidates.
constexpr int kBins = 1 << 12, kShift = 32 - 12;

uint32_t BitsOf(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

// The value at `rank` in ascending order of values that are not negative; those that are no numbers come last.
float ValueAt(const float* values, int64_t count, int64_t rank) {
  std::vector<int64_t> counts(kBins, 0);
  for (int64_t i = 0; i < count; i++) counts[BitsOf(values[i]) >> kShift]++;
  uint32_t bin = 0;
  for (; rank >= counts[bin]; bin++) rank -= counts[bin];
  std::vector<uint32_t> candidates;
  candidates.reserve(counts[bin]);
  for (int64_t i = 0; i < count; i++)
    if (BitsOf(values[i]) >> kShift == bin) candidates.push_back(BitsOf(values[i]));
  std::nth_element(candidates.begin(), candidates.begin() + rank, candidates.end());
  const uint32_t found = candidates[rank] < kSmallest ? 0 : std::min(candidates[rank], kInfinity);
  float value;
  memcpy(&value, &found, sizeof(value));
  return value;
}

bool ArePositive(const std::vector<int64_t>& sizes) {
  return std::all_of(sizes.begin(), sizes.end(), [](int64_t size) { return size > 0 && size < (1 << 20); });
}

/**
 * ConvScopeKeepLargest: pixels of which the measure is less than the one of a given rank become 0. The list: batch, pixels, channels of the pictures,
 * and whether the measure is the size of the sum of products with a second tensor of their shape, instead of the sum of squares. The inputs are the
 * pictures, that tensor where there is one, and the rank for each picture.
 */
class KeepLargest : public Kernel {
 public:
  KeepLargest(int64_t batch, int64_t pixels, int64_t channels, bool products)
      : batch_(batch), pixels_(pixels), channels_(channels), products_(products) {}

  void Compute(Call* call) const override {
    const int64_t size = pixels_ * channels_;
    const float* pictures = call->Input(0, batch_ * size);
    const float* factors = products_ ? call->Input(1, batch_ * size) : nullptr;
    const float* ranks = call->Input(products_ ? 2 : 1, batch_);
    float* out = call->Output(0, {batch_, size});
    if (call->failed()) return;
    ForEachTask(batch_, [&](int64_t picture) {
      float* measures = Scratch(0, pixels_);
      MeasurePixels(pictures + picture * size, factors == nullptr ? nullptr : factors + picture * size, pixels_, channels_, measures);
      const float rank = std::min(std::max(0.0f, ranks[picture]), static_cast<float>(pixels_ - 1));
      const float threshold = ValueAt(measures, pixels_, static_cast<int64_t>(rank));
      KeepPixels(pictures + picture * size, measures, threshold, pixels_, channels_, out + picture * size);
    });
  }

 private:
  const int64_t batch_, pixels_, channels_;
  const bool products_;
};

/**
 * ConvScopeBlur: products of matrices with the rows and with the columns of pictures, where most of the matrices is 0 and is left out. The list: batch,
 * height, width, channels. The inputs are the matrices for the rows and for the columns, one each a picture, and the pictures.
 */
class Blur : public Kernel {
 public:
  Blur(int64_t batch, int64_t height, int64_t width, int64_t channels)
      : batch_(batch), height_(height), width_(width), channels_(channels) {}

  void Compute(Call* call) const override {
    const int64_t size = height_ * width_ * channels_;
    const float* down = call->Input(0, batch_ * height_ * height_);
    const float* across = call->Input(1, batch_ * width_ * width_);
    const float* pictures = call->Input(2, batch_ * size);
    float* out = call->Output(0, {batch_, size});
    if (call->failed()) return;
    const std::vector<Band> down_bands = Bands(down, height_), across_bands = Bands(across, width_);
    const int64_t blocks = (height_ + kRowsAtOnce - 1) / kRowsAtOnce;
    ForEachTask(batch_ * blocks, [&](int64_t task) {
      const int64_t picture = task / blocks, memory = BlurMemory(width_, channels_);
      float* const pieces[2] = {Scratch(0, memory), Scratch(1, memory)};
      BlurRows(down + picture * height_ * height_, down_bands.data() + picture * height_, across + picture * width_ * width_,
               across_bands.data() + picture * width_, pictures + picture * size, height_, width_, channels_,
               task % blocks * kRowsAtOnce, pieces, out + picture * size);
    });
  }

 private:
  std::vector<Band> Bands(const float* matrices, int64_t size) const {
    std::vector<Band> bands(batch_ * size);
    for (int64_t row = 0; row < batch_ * size; row++) bands[row] = BandOf(matrices + row * size, size);
    return bands;
  }

  const int64_t batch_, height_, width_, channels_;
};

}  // namespace

std::unique_ptr<Kernel> MakeKeepLargest(const std::vector<int64_t>& numbers) {
  if (numbers.size() != 4 || !ArePositive({numbers[0], numbers[1], numbers[2]}) || numbers[3] >> 1 != 0) return nullptr;
  return std::make_unique<KeepLargest>(numbers[0], numbers[1], numbers[2], numbers[3] == 1);
}

std::unique_ptr<Kernel> MakeBlur(const std::vector<int64_t>& numbers) {
  if (numbers.size() != 4 || !ArePositive(numbers)) return nullptr;
  return std::make_unique<Blur>(numbers[0], numbers[1], numbers[2], numbers[3]);
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
