#ifdef CONVSCOPE_OWN_KERNELS
#define CONVSCOPE_LOADER
#include "few-rows-loops.h"
#include "kernel-threads.h"
#include "own-kernels.h"

#include <algorithm>
#include <cmath>

// ConvScopeFewRows: a few rows times a matrix that fits into no cache, or times the transposed one. Reading the matrix takes the time, so it is read
// once for all rows, and lines that count for none of them are not read.
namespace convscope {
namespace {

// The same pieces on every machine, each summed in one order; of at least so many lines, so that the sums of all are small beside the matrix.
constexpr int64_t kMostPieces = 16, kFewestLines = 64;

bool AllFinite(const float* values, int64_t count) {
  return std::all_of(values, values + count, [](float value) { return std::isfinite(value); });
}

/**
 * The list: rank and dimensions of the result; rows; lines and columns of the matrix; whether it is transposed; whether lines may be left out, which
 * is for matrices of finite numbers only. The inputs are the rows, the matrix, and with both of the last a tensor like the result: numbers of the
 * result may be 0 instead where those of this one are not positive.
 */
class FewRows : public Kernel {
 public:
  explicit FewRows(const std::vector<int64_t>& numbers) {
    const size_t rank = numbers.empty() || numbers[0] < 0 || numbers[0] > 8 ? 9 : numbers[0];
    if (numbers.size() != rank + 6) return;
    shape_.assign(numbers.begin() + 1, numbers.begin() + 1 + rank);
    const int64_t* const rest = numbers.data() + 1 + rank;
    rows_ = rest[0], lines_ = rest[1], columns_ = rest[2];
    transposed_ = rest[3] == 1, leaves_out_ = rest[4] == 1;
    const auto fits = [](int64_t size) { return size > 0 && size < (1 << 24); };
    valid_ = fits(rows_) && fits(lines_) && fits(columns_) && std::all_of(shape_.begin(), shape_.end(), fits) &&
             ElementCount(shape_) == rows_ * (transposed_ ? lines_ : columns_) && rest[3] >> 1 == 0 && rest[4] >> 1 == 0;
  }

  bool Valid() const { return valid_; }

  void Compute(Call* call) const override {
    const float* rows = call->Input(0, rows_ * (transposed_ ? columns_ : lines_));
    const float* matrix = call->Input(1, lines_ * columns_);
    const float* wanted = transposed_ && leaves_out_ ? call->Input(2, rows_ * lines_) : nullptr;
    float* out = call->Output(0, shape_);
    if (call->failed()) return;
    if (transposed_) {
      Multiply(rows, matrix, wanted, out);
    } else {
      Add(rows, matrix, out);
    }
  }

 private:
  int64_t Pieces() const { return std::max<int64_t>(1, std::min(kMostPieces, lines_ / kFewestLines)); }

  // Whether a number of column `line` in `rows`, of which there are `lines_` a row, lets the line count.
  template <typename Counts>
  std::vector<int64_t> Counting(const float* values, int64_t begin, int64_t end, Counts counts) const {
    std::vector<int64_t> counting;
    counting.reserve(end - begin);
    for (int64_t line = begin; line < end; line++)
      for (int64_t row = 0; row < rows_; row++)
        if (values == nullptr || counts(values[row * lines_ + line])) {
          counting.push_back(line);
          break;
        }
    return counting;
  }

  void Add(const float* rows, const float* matrix, float* out) const {
    const int64_t size = rows_ * columns_;
    const int64_t pieces = Pieces();
    float* sums = Scratch(0, pieces * size);
    ForEachTask(pieces, [&](int64_t piece) {
      float* own = sums + piece * size;
      std::fill_n(own, size, 0.0f);
      const auto counting = Counting(leaves_out_ ? rows : nullptr, lines_ * piece / pieces, lines_ * (piece + 1) / pieces,
                                     [](float value) { return value != 0; });
      std::vector<float> factors(rows_ * kLinesTogether);
      const int64_t all = static_cast<int64_t>(counting.size());
      for (int64_t first = 0; first < all; first += kLinesTogether) {
        const int64_t count = std::min(kLinesTogether, all - first);
        const float* lines[kLinesTogether];
        for (int64_t i = 0; i < count; i++) {
          lines[i] = matrix + counting[first + i] * columns_;
          for (int64_t row = 0; row < rows_; row++) factors[row * kLinesTogether + i] = rows[row * lines_ + counting[first + i]];
        }
        AddLinesToRows(lines, factors.data(), count, rows_, columns_, own);
      }
    });
    std::copy_n(sums, size, out);
    for (int64_t piece = 1; piece < pieces; piece++)
      for (int64_t i = 0; i < size; i++) out[i] += sums[piece * size + i];
  }

  void Multiply(const float* rows, const float* matrix, const float* wanted, float* out) const {
    // A number that is not finite must be seen in every product.
    const float* chosen = wanted != nullptr && AllFinite(rows, rows_ * columns_) ? wanted : nullptr;
    if (chosen != nullptr) std::fill_n(out, rows_ * lines_, 0.0f);
    const int64_t pieces = Pieces();
    ForEachTask(pieces, [&](int64_t piece) {
      const auto counting = Counting(chosen, lines_ * piece / pieces, lines_ * (piece + 1) / pieces,
                                     [](float value) { return value > 0; });
      const int64_t all = static_cast<int64_t>(counting.size());
      for (int64_t first = 0; first < all; first += kLinesAtOnce) {
        const int64_t count = std::min(kLinesAtOnce, all - first);
        const float* lines[kLinesAtOnce];
        float* to[kLinesAtOnce];
        for (int64_t i = 0; i < count; i++) {
          lines[i] = matrix + counting[first + i] * columns_;
          to[i] = out + counting[first + i];
        }
        RowsTimesLines(rows, rows_, lines, count, columns_, to, lines_);
      }
    });
  }

  std::vector<int64_t> shape_;
  int64_t rows_ = 0, lines_ = 0, columns_ = 0;
  bool transposed_ = false, leaves_out_ = false, valid_ = false;
};

}  // namespace

std::unique_ptr<Kernel> MakeFewRows(const std::vector<int64_t>& numbers) {
  auto kernel = std::make_unique<FewRows>(numbers);
  return kernel->Valid() ? std::move(kernel) : nullptr;
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
