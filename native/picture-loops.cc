#ifdef CONVSCOPE_OWN_KERNELS
#include "picture-loops.h"

#include "vector-support.h"

#include <algorithm>
#include <cmath>

#define CONVSCOPE_UNROLL _Pragma("GCC unroll 8")

namespace convscope {
namespace {

// `Channels` is the number of channels where it is known to the compiler, else 0.
template <int Channels, typename Term>
void SumTerms(int64_t pixels, int64_t channels, float* measures, Term term) {
  if (Channels > 0) channels = Channels;
  for (int64_t pixel = 0; pixel < pixels; pixel++) {
    float sum = term(pixel * channels);
    for (int64_t channel = 1; channel < channels; channel++) sum += term(pixel * channels + channel);
    measures[pixel] = std::fabs(sum);
  }
}

template <int Channels>
void Measure(const float* pictures, const float* factors, int64_t pixels, int64_t channels, float* measures) {
  if (factors == nullptr)
    return SumTerms<Channels>(pixels, channels, measures, [=](int64_t i) { return pictures[i] * pictures[i]; });
  SumTerms<Channels>(pixels, channels, measures, [=](int64_t i) { return factors[i] * pictures[i]; });
}

template <int Channels>
void Keep(const float* pictures, const float* measures, float threshold, int64_t pixels, int64_t channels, float* out) {
  if (Channels > 0) channels = Channels;
  for (int64_t pixel = 0; pixel < pixels; pixel++) {
    const float part = measures[pixel] >= threshold ? 1.0f : 0.0f;
    for (int64_t channel = 0; channel < channels; channel++)
      out[pixel * channels + channel] = pictures[pixel * channels + channel] * part;
  }
}

// Rows become columns.
void Turn(const Vector (&rows)[8], Vector (&columns)[8]) {
  Vector pairs[8], fours[8];
  CONVSCOPE_UNROLL for (int i = 0; i < 4; i++) {
    pairs[2 * i] = _mm256_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
    pairs[2 * i + 1] = _mm256_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
  }
  CONVSCOPE_UNROLL for (int i = 0; i < 2; i++) {
    CONVSCOPE_UNROLL for (int half = 0; half < 2; half++) {
      fours[4 * i + 2 * half] = _mm256_shuffle_ps(pairs[4 * i + half], pairs[4 * i + 2 + half], 0x44);
      fours[4 * i + 2 * half + 1] = _mm256_shuffle_ps(pairs[4 * i + half], pairs[4 * i + 2 + half], 0xee);
    }
  }
  CONVSCOPE_UNROLL for (int i = 0; i < 4; i++) {
    columns[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
    columns[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
  }
}

// Eight rows of down · picture, as columns of eight.
void BlurDown(const float* const (&rows)[8], Band band, const float* picture, int64_t line, float* turned) {
  for (int64_t column = 0; column < line; column += kLanes) {
    Vector sums[8];
    CONVSCOPE_UNROLL for (int r = 0; r < 8; r++) sums[r] = _mm256_setzero_ps();
    for (int64_t k = band.first; k < band.end; k++) {
      const Vector values = Load(picture + k * line + column, line - column);
      CONVSCOPE_UNROLL for (int r = 0; r < 8; r++) sums[r] = _mm256_fmadd_ps(_mm256_broadcast_ss(rows[r] + k), values, sums[r]);
    }
    Vector columns[8];
    Turn(sums, columns);
    CONVSCOPE_UNROLL for (int c = 0; c < 8; c++) _mm256_storeu_ps(turned + (column + c) * kRowsAtOnce, columns[c]);
  }
}

// One pixel of each of eight rows: `Channels` channels from the first of `turned`, of `channels` in all.
template <int Channels>
void BlurAcross(const float* weights, Band band, const float* turned, int64_t channels, float* out) {
  Vector sums[Channels];
  CONVSCOPE_UNROLL for (int c = 0; c < Channels; c++) sums[c] = _mm256_setzero_ps();
  for (int64_t k = band.first; k < band.end; k++) {
    const Vector weight = _mm256_broadcast_ss(weights + k);
    CONVSCOPE_UNROLL for (int c = 0; c < Channels; c++)
      sums[c] = _mm256_fmadd_ps(weight, _mm256_loadu_ps(turned + (k * channels + c) * kRowsAtOnce), sums[c]);
  }
  CONVSCOPE_UNROLL for (int c = 0; c < Channels; c++) _mm256_storeu_ps(out + c * kRowsAtOnce, sums[c]);
}

}  // namespace

void MeasurePixels(const float* pictures, const float* factors, int64_t pixels, int64_t channels, float* measures) {
  (channels == 3 ? Measure<3> : Measure<0>)(pictures, factors, pixels, channels, measures);
}

void KeepPixels(const float* pictures, const float* measures, float threshold, int64_t pixels, int64_t channels, float* out) {
  (channels == 3 ? Keep<3> : Keep<0>)(pictures, measures, threshold, pixels, channels, out);
}

Band BandOf(const float* row, int64_t size) {
  Band band{0, 0};
  for (int64_t column = 0; column < size; column += kLanes) {
    const int found = _mm256_movemask_ps(_mm256_cmp_ps(Load(row + column, size - column), _mm256_setzero_ps(), _CMP_NEQ_UQ));
    if (found == 0) continue;
    if (band.end == 0) band.first = column + __builtin_ctz(found);
    band.end = column + 32 - __builtin_clz(found);
  }
  return band;
}

void BlurRows(const float* down, const Band* down_bands, const float* across, const Band* across_bands, const float* picture,
              int64_t height, int64_t width, int64_t channels, int64_t first, float* const (&memory)[2], float* out) {
  const int64_t line = width * channels, count = std::min(kRowsAtOnce, height - first);
  // The last rows may be fewer than eight: the last of them is then computed several times.
  const float* rows[8];
  Band band = down_bands[first];
  for (int64_t r = 0; r < kRowsAtOnce; r++) {
    const int64_t row = first + std::min(r, count - 1);
    rows[r] = down + row * height;
    band = {std::min(band.first, down_bands[row].first), std::max(band.end, down_bands[row].end)};
  }
  BlurDown(rows, band, picture, line, memory[0]);
  for (int64_t column = 0; column < width; column++) {
    int64_t channel = 0;
    const auto take = [&](auto blur, int64_t taken) {
      blur(across + column * width, across_bands[column], memory[0] + channel * kRowsAtOnce, channels,
           memory[1] + (column * channels + channel) * kRowsAtOnce);
      channel += taken;
    };
    while (channel + 3 <= channels) take(BlurAcross<3>, 3);
    while (channel < channels) take(BlurAcross<1>, 1);
  }
  for (int64_t column = 0; column < line; column += kLanes) {
    Vector columns[8], turned[8];
    CONVSCOPE_UNROLL for (int c = 0; c < 8; c++) columns[c] = _mm256_loadu_ps(memory[1] + (column + c) * kRowsAtOnce);
    Turn(columns, turned);
    for (int64_t r = 0; r < count; r++) Store(out + (first + r) * line + column, turned[r], line - column);
  }
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
