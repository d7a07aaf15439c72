// Inner loops of the addon's own kernels, written for AVX2 with FMA. elementary-loops.cc and product-loops.cc alone are compiled for these
// instructions, so nothing here may be called where the processor lacks them (own-kernels.cc asks it). All numbers are float32; nothing is
// allocated.
#pragma once

#include <stdint.h>

namespace convscope {

// What the program of an elementwise kernel is made of: operations that give the same bits as in TensorFlow.
// src/compute/engines/compiled/elementwise-program.ts has the same list.
enum class Elementary : int {
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kMaximum,
  kMinimum,
  kNegate,
  kSquare,
  kSquareRoot,
  kAbsolute,
  kRelu,
  kReluGradient,  // (dy, y)
  kTanhGradient,  // (y, dy)
  kCount,
};

// The last two multiply by the derivative of ReLU or of the sigmoid, seen from what these returned.
enum class Activation : int { kNone, kRelu, kSigmoid, kReluGradient, kSigmoidGradient, kCount };

// out[i] = operation(a[i], b[i]) for i < count; `b` is not read by operations of one operand. `out` may be `a` or `b`.
void ApplyElementary(Elementary operation, float* out, const float* a, const float* b, int64_t count);

// Columns are handled in blocks of 16; a last block of 8 columns or fewer is 8 wide.
constexpr int64_t kBlock = 16;
inline int64_t BlockWidth(int64_t columns_left) { return columns_left <= 8 ? 8 : kBlock; }
inline int64_t PaddedColumns(int64_t columns) {
  const int64_t rest = columns % kBlock;
  return columns - rest + (rest == 0 ? 0 : BlockWidth(rest));
}

// A matrix with `depth` rows in the order in which ProductOfRows reads it: block after block, each depth × BlockWidth, filled up with zeros.
// Copies row `row` of the matrix, whose columns are `step` floats apart.
void PackRow(const float* values, int64_t step, int64_t columns, int64_t row, int64_t depth, float* packed);

// What follows a product: plus a bias for each column (null for none), then the activation. For its gradients, `returned` lies as the results lie
// from `start` on.
struct Finish {
  const float* bias;
  Activation activation;
  const float* returned;
  const float* start;
};

// For each row r: out[r][c] = finish(sum over s, k of rows[r][offsets[s] + k] * packed(s * length + k, c)), for c < columns.
void ProductOfRows(const float* const* rows, int64_t count, const int64_t* offsets, int64_t segments, int64_t length,
                   const float* packed, int64_t columns, Finish finish, float* const* out);

// sums[(first + t) * columns + c] (+)= sum over p of rows[p][t] * signals[p][c], for t < taps and c < columns.
void ProductOfTaps(const float* const* rows, const float* const* signals, int64_t count, int64_t taps, int64_t columns,
                   bool add, float* sums);

// out[c] = finish(sum over k of x[k] * matrix[k * columns + c]): one row, without packing.
void RowTimesMatrix(const float* x, const float* matrix, int64_t depth, int64_t columns, Finish finish, float* out);

// out[r] = finish(sum over k of x[k] * matrix[r * depth + k]): one row times the transposed matrix.
void RowTimesTransposed(const float* x, const float* matrix, int64_t depth, int64_t rows, Finish finish, float* out);

}  // namespace convscope
