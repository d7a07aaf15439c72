#ifdef CONVSCOPE_OWN_KERNELS
#include "few-rows-loops.h"

#include "vector-support.h"

#define CONVSCOPE_UNROLL _Pragma("GCC unroll 12")

namespace convscope {
namespace {

template <bool Whole>
Vector LoadOf(const float* from, int64_t count) {
  return Whole ? _mm256_loadu_ps(from) : Load(from, count);
}

// The sums of `Rows` rows stay in registers over all lines, so that each number of a line is loaded once for them.
template <int Rows, int Vectors, bool Whole>
void AddColumns(const float* const* lines, const float* factors, int64_t count, int64_t column, int64_t columns, float* sums) {
  const int64_t left = columns - column;
  Vector totals[Rows][Vectors];
  CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++)
    CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++)
      totals[r][v] = LoadOf<Whole>(sums + r * columns + column + v * kLanes, left);
  for (int64_t line = 0; line < count; line++) {
    const float* from = lines[line] + column;
    Vector values[Vectors];
    CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) values[v] = LoadOf<Whole>(from + v * kLanes, left);
    CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) {
      const Vector factor = _mm256_broadcast_ss(factors + r * kLinesTogether + line);
      CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++) totals[r][v] = _mm256_fmadd_ps(factor, values[v], totals[r][v]);
    }
  }
  CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++)
    CONVSCOPE_UNROLL for (int v = 0; v < Vectors; v++)
      Store(sums + r * columns + column + v * kLanes, totals[r][v], Whole ? kLanes : left);
}

template <int Rows>
void AddToRows(const float* const* lines, const float* factors, int64_t count, int64_t columns, float* sums) {
  int64_t column = 0;
  for (; column + 4 * kLanes <= columns; column += 4 * kLanes)
    AddColumns<Rows, 4, true>(lines, factors, count, column, columns, sums);
  for (; column < columns; column += kLanes) AddColumns<Rows, 1, false>(lines, factors, count, column, columns, sums);
}

float SumOfLanes(Vector value) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_shuffle_ps(sum, sum, 1)));
}

template <int Rows, int Lines, bool Whole>
void AddProducts(const float* rows, const float* const* lines, int64_t column, int64_t columns, Vector (*sums)[Rows]) {
  Vector values[Rows];
  CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) values[r] = LoadOf<Whole>(rows + r * columns + column, columns - column);
  CONVSCOPE_UNROLL for (int line = 0; line < Lines; line++) {
    const Vector factors = LoadOf<Whole>(lines[line] + column, columns - column);
    CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) sums[line][r] = _mm256_fmadd_ps(values[r], factors, sums[line][r]);
  }
}

template <int Rows, int Lines>
void MultiplyLines(const float* rows, const float* const* lines, int64_t columns, float* const* out, int64_t step) {
  Vector sums[Lines][Rows];
  CONVSCOPE_UNROLL for (int line = 0; line < Lines; line++)
    CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) sums[line][r] = _mm256_setzero_ps();
  int64_t column = 0;
  for (; column + kLanes <= columns; column += kLanes) AddProducts<Rows, Lines, true>(rows, lines, column, columns, sums);
  if (column < columns) AddProducts<Rows, Lines, false>(rows, lines, column, columns, sums);
  CONVSCOPE_UNROLL for (int line = 0; line < Lines; line++)
    CONVSCOPE_UNROLL for (int r = 0; r < Rows; r++) out[line][r * step] = SumOfLanes(sums[line][r]);
}

template <int Rows>
void MultiplyRows(const float* rows, const float* const* lines, int64_t count, int64_t columns, float* const* out, int64_t step) {
  if (count == kLinesAtOnce) return MultiplyLines<Rows, kLinesAtOnce>(rows, lines, columns, out, step);
  for (int64_t line = 0; line < count; line++) MultiplyLines<Rows, 1>(rows, lines + line, columns, out + line, step);
}

// Calls `three`, `two` or `one` for the rows from `row` on, until all have had their turn.
template <typename Three, typename Two, typename One>
void ForRows(int64_t rows, Three three, Two two, One one) {
  int64_t row = 0;
  for (; row + 3 <= rows; row += 3) three(row);
  if (rows - row == 2) two(row);
  if (rows - row == 1) one(row);
}

}  // namespace

void AddLinesToRows(const float* const* lines, const float* factors, int64_t count, int64_t rows, int64_t columns, float* sums) {
  const auto with = [&](auto add) {
    return [=](int64_t row) { add(lines, factors + row * kLinesTogether, count, columns, sums + row * columns); };
  };
  ForRows(rows, with(AddToRows<3>), with(AddToRows<2>), with(AddToRows<1>));
}

void RowsTimesLines(const float* rows, int64_t row_count, const float* const* lines, int64_t count, int64_t columns,
                    float* const* out, int64_t step) {
  const auto with = [&](auto multiply) {
    return [=](int64_t row) {
      float* to[kLinesAtOnce];
      for (int64_t line = 0; line < count; line++) to[line] = out[line] + row * step;
      multiply(rows + row * columns, lines, count, columns, to, step);
    };
  };
  ForRows(row_count, with(MultiplyRows<3>), with(MultiplyRows<2>), with(MultiplyRows<1>));
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
