// Vectors of eight numbers for the files that are compiled for AVX2 with FMA. No other file may include this one: what the compiler makes
// of it runs on such processors only.
#pragma once

#include <immintrin.h>
#include <stdint.h>

namespace convscope {
namespace {

using Vector = __m256;
constexpr int64_t kLanes = 8;

// Lanes 0 to count - 1, for count < 8.
__m256i Mask(int64_t count) {
  alignas(32) static const int32_t bits[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bits + 8 - count));
}

Vector Load(const float* from, int64_t count) {
  return count >= kLanes ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, Mask(count));
}

// In halves, because masked stores take tens of cycles on some processors.
void Store(float* to, Vector value, int64_t count) {
  if (count >= kLanes) return _mm256_storeu_ps(to, value);
  __m128 rest = _mm256_castps256_ps128(value);
  if (count & 4) {
    _mm_storeu_ps(to, rest);
    to += 4;
    rest = _mm256_extractf128_ps(value, 1);
  }
  if (count & 2) {
    _mm_storel_pi(reinterpret_cast<__m64*>(to), rest);
    to += 2;
    rest = _mm_movehl_ps(rest, rest);
  }
  if (count & 1) _mm_store_ss(to, rest);
}

// e^x with at most 2 units in the last place: x = n ln 2 + r, |r| <= ln 2 / 2, and a polynomial for e^r (Cephes).
Vector Exponential(Vector x) {
  const Vector one = _mm256_set1_ps(1.0f);
  const Vector clamped = _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(-104.0f)), _mm256_set1_ps(89.0f));
  const Vector n = _mm256_round_ps(_mm256_mul_ps(clamped, _mm256_set1_ps(1.44269504088896341f)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  Vector r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), clamped);
  r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
  Vector p = _mm256_set1_ps(1.9875691500e-4f);
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.3981999507e-3f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(8.3334519073e-3f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(4.1665795894e-2f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.6666665459e-1f));
  p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(5.0000001201e-1f));
  p = _mm256_add_ps(_mm256_fmadd_ps(p, _mm256_mul_ps(r, r), r), one);
  // 2^n in two factors: n reaches from -150 to 128, beyond what one exponent holds.
  const __m256i whole = _mm256_cvtps_epi32(n);
  const __m256i half = _mm256_srai_epi32(whole, 1);
  const auto power = [](__m256i exponent) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(exponent, _mm256_set1_epi32(127)), 23));
  };
  p = _mm256_mul_ps(_mm256_mul_ps(p, power(half)), power(_mm256_sub_epi32(whole, half)));
  return _mm256_blendv_ps(p, x, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
}

Vector Sigmoid(Vector x) {
  const Vector one = _mm256_set1_ps(1.0f);
  return _mm256_div_ps(one, _mm256_add_ps(one, Exponential(_mm256_xor_ps(x, _mm256_set1_ps(-0.0f)))));
}

// A NaN in `a` stays one; the instructions for maximum and minimum return the second operand where one of them is no number.
Vector OrNotANumber(Vector result, Vector a) { return _mm256_blendv_ps(result, a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q)); }

Vector Relu(Vector x) { return OrNotANumber(_mm256_max_ps(x, _mm256_setzero_ps()), x); }

}  // namespace
}  // namespace convscope
