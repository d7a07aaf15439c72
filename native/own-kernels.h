// Operations that are added to TensorFlow: what captured steps and replaced kernels use in place of several of its own. Their numbers come in
// one list of integers each, made in src/compute/engines/; whatever is declared there is checked against the tensors before it is used.
#pragma once

#include "kernel-c-api.h"
#include "redirect-calls.h"

#include <memory>
#include <string>
#include <vector>

#define CONVSCOPE_DECLARE(result, name, parameters)  \
  extern "C" {                                       \
  typedef result(*convscope_type_##name) parameters; \
  extern convscope_type_##name convscope_##name;     \
  }
TENSORFLOW_KERNEL_C_API(CONVSCOPE_DECLARE)
#undef CONVSCOPE_DECLARE

namespace convscope {

// One call of a kernel. After a failure everything else does nothing.
class Call {
 public:
  explicit Call(TF_OpKernelContext* context);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  int inputs() const;
  // The numbers of input `index`, which must be `count` of them; null after a failure.
  const float* Input(int index, int64_t count);
  // Memory for output `index` of the given shape; with `forward` that of an input, where nothing else uses it, whose number is then in
  // `forwarded` (else -1). Null after a failure.
  float* Output(int index, const std::vector<int64_t>& shape, const std::vector<int>& forward, int* forwarded);
  float* Output(int index, const std::vector<int64_t>& shape);
  void Fail(const std::string& message);
  bool failed() const { return failed_; }

 private:
  TF_OpKernelContext* const context_;
  TF_Status* const status_;
  std::vector<TF_Tensor*> tensors_;
  bool failed_ = false;
};

// A kernel keeps what it read from its list of integers, and computes.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void Compute(Call* call) const = 0;
};

int64_t ElementCount(const std::vector<int64_t>& shape);

// Memory of the calling thread that stays for its next kernel; `place` tells pieces apart that are in use at the same time.
float* Scratch(int place, int64_t count);

// Each returns null where the list makes no sense.
std::unique_ptr<Kernel> MakeElementwise(const std::vector<int64_t>& numbers);
std::unique_ptr<Kernel> MakeConvolution(const std::vector<int64_t>& numbers);
std::unique_ptr<Kernel> MakeConvolutionInputGradient(const std::vector<int64_t>& numbers);
std::unique_ptr<Kernel> MakeConvolutionFilterGradient(const std::vector<int64_t>& numbers);
std::unique_ptr<Kernel> MakeSparseInputGradient(const std::vector<int64_t>& numbers);
std::unique_ptr<Kernel> MakeMaxPool(const std::vector<int64_t>& numbers);
std::unique_ptr<Kernel> MakeUnpool(const std::vector<int64_t>& numbers);
std::unique_ptr<Kernel> MakeFewRows(const std::vector<int64_t>& numbers);
std::unique_ptr<Kernel> MakeKeepLargest(const std::vector<int64_t>& numbers);
std::unique_ptr<Kernel> MakeBlur(const std::vector<int64_t>& numbers);

}  // namespace convscope

// Registers the operations once in a process. False where this processor, this build or this library cannot have them; throws a
// std::runtime_error where TensorFlow refuses them.
bool convscope_register_own_kernels(int threads);
