#ifdef CONVSCOPE_OWN_KERNELS
#include "vector-loops.h"
#include "vector-support.h"

namespace convscope {
namespace {

template <typename Operation>
void Map(float* out, const float* a, const float* b, int64_t count, Operation operation) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    _mm256_storeu_ps(out + i, operation(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i)));
  if (i < count) Store(out + i, operation(Load(a + i, count - i), Load(b + i, count - i)), count - i);
}

}  // namespace

void ApplyElementary(Elementary operation, float* out, const float* a, const float* b, int64_t count) {
  const Vector one = _mm256_set1_ps(1.0f);
  switch (operation) {
    case Elementary::kAdd:
      return Map(out, a, b, count, [](Vector x, Vector y) { return _mm256_add_ps(x, y); });
    case Elementary::kSubtract:
      return Map(out, a, b, count, [](Vector x, Vector y) { return _mm256_sub_ps(x, y); });
    case Elementary::kMultiply:
      return Map(out, a, b, count, [](Vector x, Vector y) { return _mm256_mul_ps(x, y); });
    case Elementary::kDivide:
      return Map(out, a, b, count, [](Vector x, Vector y) { return _mm256_div_ps(x, y); });
    case Elementary::kMaximum:
      return Map(out, a, b, count, [](Vector x, Vector y) { return OrNotANumber(_mm256_max_ps(x, y), x); });
    case Elementary::kMinimum:
      return Map(out, a, b, count, [](Vector x, Vector y) { return OrNotANumber(_mm256_min_ps(x, y), x); });
    case Elementary::kNegate:
      return Map(out, a, a, count, [](Vector x, Vector) { return _mm256_xor_ps(x, _mm256_set1_ps(-0.0f)); });
    case Elementary::kSquare:
      return Map(out, a, a, count, [](Vector x, Vector) { return _mm256_mul_ps(x, x); });
    case Elementary::kSquareRoot:
      return Map(out, a, a, count, [](Vector x, Vector) { return _mm256_sqrt_ps(x); });
    case Elementary::kAbsolute:
      return Map(out, a, a, count, [](Vector x, Vector) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); });
    case Elementary::kRelu:
      return Map(out, a, a, count, [](Vector x, Vector) { return Relu(x); });
    case Elementary::kReluGradient:
      return Map(out, a, b, count, [one](Vector dy, Vector y) {
        return _mm256_mul_ps(dy, _mm256_and_ps(one, _mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_GT_OQ)));
      });
    case Elementary::kTanhGradient:
      return Map(out, a, b, count, [one](Vector y, Vector dy) {
        return _mm256_mul_ps(dy, _mm256_sub_ps(one, _mm256_mul_ps(y, y)));
      });
    case Elementary::kCount:
      return;
  }
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
