#ifdef CONVSCOPE_OWN_KERNELS
#include "vector-loops.h"
#include "vector-support.h"

// Sums stay in registers only where every loop over them is unrolled.
#define CONVSCOPE_UNROLL _Pragma("GCC unroll 12")

namespace convscope {
namespace {

// `to` is where the result goes, and `left` the number of its columns.
Vector Finished(Vector value, const Finish& finish, int64_t column, int64_t left, const float* to) {
  if (finish.bias != nullptr) value = _mm256_add_ps(value, Load(finish.bias + column, left));
  if (finish.activation == Activation::kNone) return value;
  if (finish.activation == Activation::kRelu) return Relu(value);
  if (finish.activation == Activation::kSigmoid) return Sigmoid(value);
  const Vector one = _mm256_set1_ps(1.0f);
  const Vector y = Load(finish.returned + (to - finish.start), left);
  if (finish.activation == Activation::kReluGradient)
    return _mm256_mul_ps(value, _mm256_and_ps(one, _mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_GT_OQ)));
  return _mm256_mul_ps(value, _mm256_mul_ps(y, _mm256_sub_ps(one, y)));
}

// `Rows` rows and one block of `Vectors` vectors, with all sums in registers.
template <int Rows, int Vectors>
void RowTile(const float* const* rows, const int64_t* offsets, int64_t segments, int64_t length, const float* packed,
             int64_t column, int64_t columns, Finish finish, float* const* out) {
  Vector sums[Rows][Vectors];
  CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++)
    CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) sums[r][v] = _mm256_setzero_ps();
  for (int64_t segment = 0; segment < segments; segment++) {
    const float* from[Rows];
    CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) from[r] = rows[r] + offsets[segment];
    for (int64_t k = 0; k < length; k++) {
      Vector factors[Vectors];
      CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) factors[v] = _mm256_loadu_ps(packed + v * kLanes);
      packed += Vectors * kLanes;
      CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) {
        const Vector value = _mm256_broadcast_ss(from[r] + k);
        CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) sums[r][v] = _mm256_fmadd_ps(value, factors[v], sums[r][v]);
      }
    }
  }
  CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) {
    CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) {
      const int64_t at = column + v * kLanes;
      if (at < columns) Store(out[r] + at, Finished(sums[r][v], finish, at, columns - at, out[r] + at), columns - at);
    }
  }
}

using RowTileFunction = void (*)(const float* const*, const int64_t*, int64_t, int64_t, const float*, int64_t, int64_t, Finish,
                                 float* const*);
constexpr RowTileFunction kWideRowTiles[] = {RowTile<1, 2>, RowTile<2, 2>, RowTile<3, 2>,
                                             RowTile<4, 2>, RowTile<5, 2>, RowTile<6, 2>};
constexpr RowTileFunction kNarrowRowTiles[] = {RowTile<1, 1>, RowTile<2, 1>, RowTile<3, 1>,  RowTile<4, 1>,
                                               RowTile<5, 1>, RowTile<6, 1>, RowTile<7, 1>,  RowTile<8, 1>,
                                               RowTile<9, 1>, RowTile<10, 1>, RowTile<11, 1>, RowTile<12, 1>};

template <int Taps, int Vectors>
void TapTile(const float* const* rows, const float* const* signals, int64_t count, int64_t tap, int64_t column,
             int64_t columns, bool add, float* sums_out) {
  Vector sums[Taps][Vectors];
  CONVSCOPE_UNROLL for (int t = 0; t < Taps; t++)
    CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) sums[t][v] = _mm256_setzero_ps();
  const bool whole = column + Vectors * kLanes <= columns;
  for (int64_t p = 0; p < count; p++) {
    const float* row = rows[p] + tap;
    const float* signal = signals[p] + column;
    Vector factors[Vectors];
    CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++)
      factors[v] = whole ? _mm256_loadu_ps(signal + v * kLanes) : Load(signal + v * kLanes, columns - column - v * kLanes);
    CONVSCOPE_UNROLL for (int t = 0; t < Taps; t++) {
      const Vector value = _mm256_broadcast_ss(row + t);
      CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) sums[t][v] = _mm256_fmadd_ps(value, factors[v], sums[t][v]);
    }
  }
  CONVSCOPE_UNROLL for (int t = 0; t < Taps; t++) {
    CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) {
      const int64_t at = column + v * kLanes;
      if (at >= columns) continue;
      float* to = sums_out + (tap + t) * columns + at;
      Store(to, add ? _mm256_add_ps(Load(to, columns - at), sums[t][v]) : sums[t][v], columns - at);
    }
  }
}

using TapTileFunction = void (*)(const float* const*, const float* const*, int64_t, int64_t, int64_t, int64_t, bool, float*);
constexpr TapTileFunction kWideTapTiles[] = {TapTile<1, 2>, TapTile<2, 2>, TapTile<3, 2>,
                                             TapTile<4, 2>, TapTile<5, 2>, TapTile<6, 2>};
constexpr TapTileFunction kNarrowTapTiles[] = {TapTile<1, 1>, TapTile<2, 1>, TapTile<3, 1>,  TapTile<4, 1>,
                                               TapTile<5, 1>, TapTile<6, 1>, TapTile<7, 1>,  TapTile<8, 1>,
                                               TapTile<9, 1>, TapTile<10, 1>, TapTile<11, 1>, TapTile<12, 1>};

template <int Vectors>
void RowTimesColumns(const float* x, const float* matrix, int64_t depth, int64_t columns, int64_t column, Finish finish,
                     float* out) {
  Vector sums[Vectors];
  CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) sums[v] = _mm256_setzero_ps();
  const float* from = matrix + column;
  for (int64_t k = 0; k < depth; k++, from += columns) {
    const Vector value = _mm256_broadcast_ss(x + k);
    CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) sums[v] = _mm256_fmadd_ps(value, _mm256_loadu_ps(from + v * kLanes), sums[v]);
  }
  CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) {
    const int64_t at = column + v * kLanes;
    _mm256_storeu_ps(out + at, Finished(sums[v], finish, at, kLanes, out + at));
  }
}

// At most 8 columns; four sums, because one would wait for itself.
void RowTimesLastColumns(const float* x, const float* matrix, int64_t depth, int64_t columns, int64_t column, Finish finish,
                         float* out) {
  const int64_t left = columns - column;
  const float* from = matrix + column;
  Vector sums[4];
  for (Vector& sum : sums) sum = _mm256_setzero_ps();
  int64_t k = 0;
  for (; k + 4 <= depth; k += 4)
    CONVSCOPE_UNROLL for (int i = 0; i < 4; i++)
      sums[i] = _mm256_fmadd_ps(_mm256_broadcast_ss(x + k + i), Load(from + (k + i) * columns, left), sums[i]);
  for (; k < depth; k++) sums[0] = _mm256_fmadd_ps(_mm256_broadcast_ss(x + k), Load(from + k * columns, left), sums[0]);
  const Vector sum = _mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3]));
  Store(out + column, Finished(sum, finish, column, left, out + column), left);
}

float SumOfLanes(Vector value) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_shuffle_ps(sum, sum, 1)));
}

// `Rows` products at a time share what is loaded of `x`.
template <int Rows>
void DotProducts(const float* x, const float* matrix, int64_t depth, int64_t row, Finish finish, float* out) {
  Vector sums[Rows];
  CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) sums[r] = _mm256_setzero_ps();
  const float* from = matrix + row * depth;
  int64_t k = 0;
  for (; k + kLanes <= depth; k += kLanes) {
    const Vector value = _mm256_loadu_ps(x + k);
    CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) sums[r] = _mm256_fmadd_ps(value, _mm256_loadu_ps(from + r * depth + k), sums[r]);
  }
  if (k < depth) {
    const Vector value = Load(x + k, depth - k);
    CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) sums[r] = _mm256_fmadd_ps(value, Load(from + r * depth + k, depth - k), sums[r]);
  }
  float results[kLanes] = {};
  CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) results[r] = SumOfLanes(sums[r]);
  Store(out + row, Finished(_mm256_loadu_ps(results), finish, row, Rows, out + row), Rows);
}

}  // namespace

void PackRow(const float* values, int64_t step, int64_t columns, int64_t row, int64_t depth, float* packed) {
  for (int64_t column = 0; column < columns; column += kBlock) {
    const int64_t width = BlockWidth(columns - column);
    const int64_t filled = columns - column < width ? columns - column : width;
    float* to = packed + column * depth + row * width;
    const float* from = values + column * step;
    if (step == 1) {
      Store(to, Load(from, filled), kLanes);
      if (width > kLanes) Store(to + kLanes, Load(from + kLanes, filled - kLanes), kLanes);
    } else {
      for (int64_t c = 0; c < filled; c++) to[c] = from[c * step];
      for (int64_t c = filled; c < width; c++) to[c] = 0;
    }
  }
}

void ProductOfRows(const float* const* rows, int64_t count, const int64_t* offsets, int64_t segments, int64_t length,
                   const float* packed, int64_t columns, Finish finish, float* const* out) {
  for (int64_t column = 0; column < columns; column += kBlock) {
    const bool wide = BlockWidth(columns - column) == kBlock;
    const RowTileFunction* tiles = wide ? kWideRowTiles : kNarrowRowTiles;
    const int64_t most = wide ? 6 : 12;
    const float* block = packed + column * segments * length;
    for (int64_t row = 0; row < count; row += most) {
      const int64_t height = count - row < most ? count - row : most;
      tiles[height - 1](rows + row, offsets, segments, length, block, column, columns, finish, out + row);
    }
  }
}

void ProductOfTaps(const float* const* rows, const float* const* signals, int64_t count, int64_t taps, int64_t columns,
                   bool add, float* sums) {
  for (int64_t column = 0; column < columns; column += kBlock) {
    const bool wide = BlockWidth(columns - column) == kBlock;
    const TapTileFunction* tiles = wide ? kWideTapTiles : kNarrowTapTiles;
    const int64_t most = wide ? 6 : 12;
    for (int64_t tap = 0; tap < taps; tap += most) {
      const int64_t height = taps - tap < most ? taps - tap : most;
      tiles[height - 1](rows, signals, count, tap, column, columns, add, sums);
    }
  }
}

void RowTimesMatrix(const float* x, const float* matrix, int64_t depth, int64_t columns, Finish finish, float* out) {
  int64_t column = 0;
  for (; column + 64 <= columns; column += 64) RowTimesColumns<8>(x, matrix, depth, columns, column, finish, out);
  for (; column + 32 <= columns; column += 32) RowTimesColumns<4>(x, matrix, depth, columns, column, finish, out);
  for (; column < columns; column += kLanes) RowTimesLastColumns(x, matrix, depth, columns, column, finish, out);
}

void RowTimesTransposed(const float* x, const float* matrix, int64_t depth, int64_t rows, Finish finish, float* out) {
  int64_t row = 0;
  for (; row + kLanes <= rows; row += kLanes) DotProducts<kLanes>(x, matrix, depth, row, finish, out);
  for (; row < rows; row++) DotProducts<1>(x, matrix, depth, row, finish, out);
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
