#ifdef CONVSCOPE_OWN_KERNELS
#include "sparse-loops.h"

#include "vector-support.h"

namespace convscope {

namespace {

template <int kVectors>
void AddVectors(const float* values, const int32_t* places, int64_t count, const float* weights, int64_t step, int64_t width, float* sums) {
  constexpr int64_t kLast = (kVectors - 1) * kLanes;
  Vector sum[kVectors];
  for (int i = 0; i + 1 < kVectors; i++) sum[i] = _mm256_loadu_ps(sums + i * kLanes);
  sum[kVectors - 1] = Load(sums + kLast, width - kLast);
  for (int64_t k = 0; k < count; k++) {
    const Vector value = _mm256_broadcast_ss(values + k);
    const float* row = weights + places[k] * step;
    for (int i = 0; i < kVectors; i++) sum[i] = _mm256_fmadd_ps(value, _mm256_loadu_ps(row + i * kLanes), sum[i]);
  }
  for (int i = 0; i + 1 < kVectors; i++) _mm256_storeu_ps(sums + i * kLanes, sum[i]);
  Store(sums + kLast, sum[kVectors - 1], width - kLast);
}

using AddFunction = void (*)(const float*, const int32_t*, int64_t, const float*, int64_t, int64_t, float*);
constexpr AddFunction kAddFunctions[] = {AddVectors<1>, AddVectors<2>, AddVectors<3>, AddVectors<4>,
                                         AddVectors<5>, AddVectors<6>, AddVectors<7>, AddVectors<8>};

}  // namespace

int64_t CollectSignals(const float* signal, int64_t count, float* values, int32_t* places) {
  int64_t found = 0;
  for (int64_t place = 0; place < count; place += kLanes) {
    // Unordered: what is no number is no zero.
    const Vector piece = Load(signal + place, count - place);
    int bits = _mm256_movemask_ps(_mm256_cmp_ps(piece, _mm256_setzero_ps(), _CMP_NEQ_UQ));
    for (; bits != 0; bits &= bits - 1) {
      const int lane = __builtin_ctz(bits);
      values[found] = signal[place + lane];
      places[found++] = static_cast<int32_t>(place + lane);
    }
  }
  return found;
}

void AddWeighted(const float* values, const int32_t* places, int64_t count, const float* weights, int64_t step, int64_t width, float* sums) {
  kAddFunctions[(width - 1) / kLanes](values, places, count, weights, step, width, sums);
}

void LargestOfCells(const float* const* cells, const float* places, int64_t count, int64_t channels, float* largest, float* winners) {
  for (int64_t channel = 0; channel < channels; channel += kLanes) {
    const int64_t lanes = channels - channel;
    Vector best = Load(cells[0] + channel, lanes);
    Vector winner = _mm256_broadcast_ss(places);
    for (int64_t k = 1; k < count; k++) {
      const Vector cell = Load(cells[k] + channel, lanes);
      const Vector larger = _mm256_cmp_ps(cell, best, _CMP_GT_OQ);
      winner = _mm256_blendv_ps(winner, _mm256_broadcast_ss(places + k), larger);
      best = _mm256_blendv_ps(best, cell, _mm256_or_ps(larger, _mm256_cmp_ps(cell, cell, _CMP_UNORD_Q)));
    }
    Store(largest + channel, best, lanes);
    Store(winners + channel, winner, lanes);
  }
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
