#define CONVSCOPE_LOADER
#include "own-kernels.h"

#include <limits.h>

#include <exception>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string_view>

#include "kernel-threads.h"

#ifndef CONVSCOPE_OWN_KERNELS
bool convscope_register_own_kernels(int) { return false; }
#else

namespace convscope {

int64_t ElementCount(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

float* Scratch(int place, int64_t count) {
  thread_local std::map<int, std::vector<float>> pieces;
  std::vector<float>& piece = pieces[place];
  if (static_cast<int64_t>(piece.size()) < count) {
    piece.clear();
    piece.resize(count);
  }
  return piece.data();
}

Call::Call(TF_OpKernelContext* context) : context_(context), status_(convscope_TF_NewStatus()) {}

Call::~Call() {
  for (TF_Tensor* tensor : tensors_) convscope_TF_DeleteTensor(tensor);
  convscope_TF_DeleteStatus(status_);
}

int Call::inputs() const { return convscope_TF_NumInputs(context_); }

void Call::Fail(const std::string& message) {
  if (failed_) return;
  failed_ = true;
  convscope_TF_SetStatus(status_, 3 /* invalid argument */, message.c_str());
  convscope_TF_OpKernelContext_Failure(context_, status_);
}

const float* Call::Input(int index, int64_t count) {
  if (failed_) return nullptr;
  if (index >= inputs()) return Fail("an input is missing"), nullptr;
  TF_Tensor* tensor = nullptr;
  convscope_TF_GetInput(context_, index, &tensor, status_);
  if (convscope_TF_GetCode(status_) != TF_OK) return Fail(convscope_TF_Message(status_)), nullptr;
  tensors_.push_back(tensor);
  if (convscope_TF_TensorType(tensor) == TF_FLOAT && convscope_TF_TensorElementCount(tensor) == count)
    return static_cast<const float*>(convscope_TF_TensorData(tensor));
  Fail("input " + std::to_string(index) + " is not " + std::to_string(count) + " numbers");
  return nullptr;
}

float* Call::Output(int index, const std::vector<int64_t>& shape, const std::vector<int>& forward, int* forwarded) {
  if (failed_) return nullptr;
  const int rank = static_cast<int>(shape.size());
  TF_Tensor* tensor =
      forward.empty()
          ? convscope_TF_AllocateOutput(context_, index, TF_FLOAT, shape.data(), rank, ElementCount(shape) * sizeof(float), status_)
          : convscope_TF_ForwardInputOrAllocateOutput(context_, forward.data(), static_cast<int>(forward.size()), index,
                                                      shape.data(), rank, forwarded, status_);
  if (convscope_TF_GetCode(status_) != TF_OK) return Fail(convscope_TF_Message(status_)), nullptr;
  tensors_.push_back(tensor);
  return static_cast<float*>(convscope_TF_TensorData(tensor));
}

float* Call::Output(int index, const std::vector<int64_t>& shape) { return Output(index, shape, {}, nullptr); }

namespace {

using Maker = std::unique_ptr<Kernel> (*)(const std::vector<int64_t>&);

// Exceptions must not pass through TensorFlow, neither here nor from Compute.
template <Maker Make>
void* Create(TF_OpKernelConstruction* construction) {
  TF_Status* status = convscope_TF_NewStatus();
  std::unique_ptr<Kernel> kernel;
  try {
    int32_t size = 0, total = 0;
    convscope_TF_OpKernelConstruction_GetAttrSize(construction, "numbers", &size, &total, status);
    std::vector<int64_t> numbers;
    if (convscope_TF_GetCode(status) == TF_OK && size > 0) {
      numbers.resize(size);
      convscope_TF_OpKernelConstruction_GetAttrInt64List(construction, "numbers", numbers.data(), size, status);
    }
    if (convscope_TF_GetCode(status) == TF_OK) kernel = Make(numbers);
  } catch (const std::exception& error) {
    convscope_TF_SetStatus(status, 8 /* resource exhausted */, error.what());
  }
  if (kernel == nullptr) {
    if (convscope_TF_GetCode(status) == TF_OK) convscope_TF_SetStatus(status, 3, "its list of numbers makes no sense");
    convscope_TF_OpKernelConstruction_Failure(construction, status);
  }
  convscope_TF_DeleteStatus(status);
  return kernel.release();
}

void Compute(void* kernel, TF_OpKernelContext* context) {
  Call call(context);
  try {
    static_cast<const Kernel*>(kernel)->Compute(&call);
  } catch (const std::bad_alloc&) {
    call.Fail("there is not enough memory");
  } catch (const std::exception& error) {
    call.Fail(error.what());
  }
}

void Delete(void* kernel) { delete static_cast<Kernel*>(kernel); }

void UnknownShape(TF_ShapeInferenceContext* context, TF_Status* status) {
  convscope_TF_ShapeInferenceContextSetUnknownShape(context, status);
}

void Register(const char* name, bool several_outputs, void* (*create)(TF_OpKernelConstruction*)) {
  TF_Status* status = convscope_TF_NewStatus();
  TF_OpDefinitionBuilder* operation = convscope_TF_NewOpDefinitionBuilder(name);
  convscope_TF_OpDefinitionBuilderAddAttr(operation, "N: int >= 1");
  if (several_outputs) convscope_TF_OpDefinitionBuilderAddAttr(operation, "M: int >= 1");
  convscope_TF_OpDefinitionBuilderAddAttr(operation, "numbers: list(int)");
  convscope_TF_OpDefinitionBuilderAddInput(operation, "inputs: N * float");
  convscope_TF_OpDefinitionBuilderAddOutput(operation, several_outputs ? "outputs: M * float" : "output: float");
  convscope_TF_OpDefinitionBuilderSetShapeInferenceFunction(operation, UnknownShape);
  convscope_TF_RegisterOpDefinition(operation, status);
  if (convscope_TF_GetCode(status) == TF_OK) {
    TF_KernelBuilder* kernel = convscope_TF_NewKernelBuilder(name, "CPU", create, Compute, Delete);
    convscope_TF_RegisterKernelBuilder(name, kernel, status);
  }
  const bool done = convscope_TF_GetCode(status) == TF_OK;
  const std::string message = done ? "" : convscope_TF_Message(status);
  convscope_TF_DeleteStatus(status);
  if (!done) throw std::runtime_error(std::string(name) + " cannot be registered: " + message);
}

// A second registration would end the process. Names of operations stand as they are in the serialised list.
bool AnotherAddonRegistered() {
  TF_Buffer* list = convscope_TF_GetAllOpList();
  const std::string_view names(static_cast<const char*>(list->data), list->length);
  const bool found = names.find("ConvScopeElementwise") != std::string_view::npos;
  convscope_TF_DeleteBuffer(list);
  return found;
}

}  // namespace
}  // namespace convscope

bool convscope_register_own_kernels(int threads) {
  static std::mutex mutex;
  static bool registered = false;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return false;
#define CONVSCOPE_PRESENT(result, name, parameters) \
  if (convscope_##name == nullptr) return false;
  TENSORFLOW_KERNEL_C_API(CONVSCOPE_PRESENT)
#undef CONVSCOPE_PRESENT
  if (registered) return true;
  using namespace convscope;
  if (AnotherAddonRegistered()) return false;
  StartKernelThreads(threads);
  Register("ConvScopeElementwise", true, Create<MakeElementwise>);
  Register("ConvScopeConvolution", false, Create<MakeConvolution>);
  Register("ConvScopeConvolutionInputGradient", false, Create<MakeConvolutionInputGradient>);
  Register("ConvScopeConvolutionFilterGradient", false, Create<MakeConvolutionFilterGradient>);
  Register("ConvScopeSparseInputGradient", false, Create<MakeSparseInputGradient>);
  Register("ConvScopeMaxPool", true, Create<MakeMaxPool>);
  Register("ConvScopeUnpool", false, Create<MakeUnpool>);
  Register("ConvScopeFewRows", false, Create<MakeFewRows>);
  Register("ConvScopeKeepLargest", false, Create<MakeKeepLargest>);
  Register("ConvScopeBlur", false, Create<MakeBlur>);
  registered = true;
  return true;
}
#endif  // CONVSCOPE_OWN_KERNELS
