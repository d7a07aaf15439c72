#ifdef CONVSCOPE_OWN_KERNELS
#define CONVSCOPE_LOADER
#include "kernel-threads.h"
#include "own-kernels.h"
#include "vector-loops.h"

#include <algorithm>

// ConvScopeElementwise: a chain of elementwise operations in one pass. The outputs are worked on in pieces that stay in the nearest cache while
// every operation of the program runs over them.
namespace convscope {
namespace {

constexpr int64_t kPiece = 1024;
// Operations times elements from which on a second thread gains.
constexpr int64_t kWorthThreads = 100000;

enum Spread : int64_t { kWhole, kScalar, kColumns, kRows };

struct Instruction {
  Elementary operation;
  int64_t to, a, b;
};

/**
 * The list: rank, dimensions, columns; number of inputs, how each is spread; number of buffers; number of instructions, each as operation, where to,
 * two operands; number of outputs. Places count inputs first, then buffers, then outputs. The shape is seen as rows × columns: an input is
 * whole, one number, one number for each column, or one for each row.
 */
class Elementwise : public Kernel {
 public:
  explicit Elementwise(const std::vector<int64_t>& numbers) {
    size_t at = 0;
    const auto next = [&]() -> int64_t { return at < numbers.size() ? numbers[at++] : -1; };
    const auto count = [&](int64_t most) -> int64_t {
      const int64_t value = next();
      if (value >= 0 && value <= most) return value;
      at = numbers.size();
      return 0;
    };
    for (int64_t left = count(16); left > 0; left--) shape_.push_back(next());
    columns_ = next();
    for (int64_t left = count(256); left > 0; left--) spreads_.push_back(next());
    buffers_ = count(256);
    for (int64_t left = count(1024); left > 0; left--) {
      const int64_t operation = next(), to = next(), a = next(), b = next();
      program_.push_back({static_cast<Elementary>(operation), to, a, b});
    }
    outputs_ = count(256);
    complete_ = at == numbers.size();
    size_ = ElementCount(shape_);
  }

  bool Valid() const {
    const int64_t inputs = static_cast<int64_t>(spreads_.size());
    const int64_t places = inputs + buffers_ + outputs_;
    if (!complete_ || outputs_ < 1 || columns_ < 1 || size_ % columns_ != 0) return false;
    if (std::any_of(shape_.begin(), shape_.end(), [](int64_t size) { return size < 0; })) return false;
    if (std::any_of(spreads_.begin(), spreads_.end(), [](int64_t spread) { return spread < kWhole || spread > kRows; }))
      return false;
    std::vector<bool> written(places, false);
    std::fill(written.begin(), written.begin() + inputs, true);
    for (const Instruction& step : program_) {
      const int operation = static_cast<int>(step.operation);
      if (operation < 0 || operation >= static_cast<int>(Elementary::kCount)) return false;
      if (step.to < inputs || step.to >= places) return false;
      if (step.a < 0 || step.a >= places || step.b < 0 || step.b >= places) return false;
      if (!written[step.a] || !written[step.b]) return false;
      written[step.to] = true;
    }
    return std::all_of(written.begin(), written.end(), [](bool value) { return value; });
  }

  void Compute(Call* call) const override {
    const int inputs = static_cast<int>(spreads_.size());
    if (call->inputs() != inputs) return call->Fail("the program has another number of inputs");
    Places places;
    places.out.resize(outputs_);
    std::vector<int> sharing(inputs, -1);
    for (int output = 0; output < outputs_; output++) {
      int forwarded = -1;
      places.out[output] = call->Output(output, shape_, Forwardable(output, sharing), &forwarded);
      if (forwarded >= 0) sharing[forwarded] = output;
    }
    for (int input = 0; input < inputs && !call->failed(); input++)
      places.in.push_back(sharing[input] >= 0 ? places.out[sharing[input]] : call->Input(input, CountOf(spreads_[input])));
    if (call->failed() || size_ == 0) return;
    // Whole rows where they are short, so that what differs from column to column is arranged once.
    const int64_t piece = columns_ < kPiece ? kPiece / columns_ * columns_ : kPiece;
    const int64_t pieces = (size_ + piece - 1) / piece;
    const int64_t work = size_ * static_cast<int64_t>(program_.size());
    const int64_t tasks = work < kWorthThreads ? 1 : std::min<int64_t>(pieces, 8);
    ForEachTask(tasks, [&](int64_t task) {
      Run(places, pieces * task / tasks * piece, std::min(size_, pieces * (task + 1) / tasks * piece), piece);
    });
  }

 private:
  struct Places {
    std::vector<const float*> in;
    std::vector<float*> out;
  };

  int64_t CountOf(int64_t spread) const {
    if (spread == kScalar) return 1;
    if (spread == kColumns) return columns_;
    return spread == kRows ? size_ / columns_ : size_;
  }

  // Inputs whose memory may become that of `output`: those that are not read any more when it is first written.
  std::vector<int> Forwardable(int output, const std::vector<int>& sharing) const {
    const int inputs = static_cast<int>(spreads_.size());
    const int64_t place = inputs + buffers_ + output;
    size_t written = 0;
    while (program_[written].to != place) written++;
    std::vector<int> result;
    for (int input = 0; input < inputs; input++) {
      const bool later = std::any_of(program_.begin() + static_cast<std::ptrdiff_t>(written) + 1, program_.end(),
                                     [&](const Instruction& step) { return step.a == input || step.b == input; });
      if (spreads_[input] == kWhole && sharing[input] < 0 && !later) result.push_back(input);
    }
    return result;
  }

  void Run(const Places& places, int64_t begin, int64_t end, int64_t piece) const {
    const int64_t inputs = static_cast<int64_t>(spreads_.size());
    const int64_t width = (piece + 7) / 8 * 8;
    float* memory = Scratch(0, (inputs + buffers_) * width);
    std::vector<const float*> from(inputs + buffers_ + outputs_);
    std::vector<float*> to(from.size(), nullptr);
    for (int64_t place = 0; place < inputs + buffers_; place++) from[place] = to[place] = memory + place * width;
    for (int64_t input = 0; input < inputs; input++) {
      const float* values = places.in[input];
      if (spreads_[input] == kScalar) std::fill_n(to[input], piece, values[0]);
      if (spreads_[input] != kColumns || columns_ >= kPiece) continue;
      for (int64_t i = 0; i < piece; i += columns_) std::copy_n(values, columns_, to[input] + i);
    }
    for (int64_t at = begin, count; at < end; at += count) {
      count = std::min(piece, end - at);
      // Pieces of long rows end with their row.
      if (columns_ >= kPiece) count = std::min(count, columns_ - at % columns_);
      for (int64_t input = 0; input < inputs; input++) {
        const float* values = places.in[input];
        if (spreads_[input] == kWhole) from[input] = values + at;
        if (spreads_[input] == kColumns && columns_ >= kPiece) from[input] = values + at % columns_;
        if (spreads_[input] != kRows) continue;
        for (int64_t i = 0; i < count; i += columns_)
          std::fill_n(to[input] + i, std::min(columns_, count - i), values[(at + i) / columns_]);
      }
      for (int64_t output = 0; output < outputs_; output++)
        from[inputs + buffers_ + output] = to[inputs + buffers_ + output] = places.out[output] + at;
      for (const Instruction& step : program_)
        ApplyElementary(step.operation, to[step.to], from[step.a], from[step.b], count);
    }
  }

  std::vector<int64_t> shape_, spreads_;
  std::vector<Instruction> program_;
  int64_t columns_ = 1, buffers_ = 0, outputs_ = 0, size_ = 0;
  bool complete_ = false;
};

}  // namespace

std::unique_ptr<Kernel> MakeElementwise(const std::vector<int64_t>& numbers) {
  auto kernel = std::make_unique<Elementwise>(numbers);
  return kernel->Valid() ? std::move(kernel) : nullptr;
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
