// Functions in TensorFlow's eager context: registering a FunctionDef, and calling it as one operation.
//
// JavaScript finds `functions` on the binding:
//   ownKernels(threads: number): boolean          adds the operations of own-kernels.h to the library; false where they cannot be had
//   operations(): Uint8Array                      an OpList with every operation of the library
//   add(definition: Uint8Array): void             registers a serialised FunctionDef
//   remove(name: string): void
//   call(name, inputs: number[], outputs: number, executor: string, config: Uint8Array): TensorInfo[]
//   start(...the same): Promise<TensorInfo[]>     runs on a thread of libuv's pool, and leaves the event loop to others
//
// The binding alone knows which TFE_TensorHandle belongs to which number, and keeps that to itself. So a call goes through its own
// `executeOp`, whose calls of TFE_NewOp, TFE_Execute and TFE_DeleteOp arrive here (redirect-calls.h). To run on another thread, an
// operation is taken away from `executeOp` when it is complete; its results are handed back by a second `executeOp` without inputs.
#define CONVSCOPE_LOADER
#include "own-kernels.h"
#include "redirect-calls.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

// One instance for each environment that loaded the library.
struct Functions {
  TFE_Context* context = nullptr;
  napi_ref execute_op = nullptr;
};

struct Call {
  Functions* functions = nullptr;
  std::string name, executor, config;
  bool elsewhere = false;          // runs on another thread
  TFE_Op* operation = nullptr;     // taken from the binding; null until then
  // References of our own: TensorFlow gives up its own on whatever thread it runs, and the memory of a tensor may belong to JavaScript,
  // which must be told on its thread.
  std::vector<TFE_TensorHandle*> inputs;
  TF_Status* status = nullptr;
  int count = 0;
  std::vector<TFE_TensorHandle*> results;  // null where the binding has taken them over
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;

  Call() : status(convscope_TF_NewStatus()) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // On the thread of the environment.
  void DeleteOperation() {
    if (operation != nullptr) convscope_TFE_DeleteOp(operation);
    operation = nullptr;
    for (TFE_TensorHandle* handle : inputs) convscope_TFE_DeleteTensorHandle(handle);
    inputs.clear();
  }

  ~Call() {
    DeleteOperation();
    for (TFE_TensorHandle* handle : results)
      if (handle != nullptr) convscope_TFE_DeleteTensorHandle(handle);
    convscope_TF_DeleteStatus(status);
  }
};

// What the `executeOp` that runs on this thread stands for; both null for an ordinary operation.
thread_local Call* starting = nullptr;
thread_local Call* finishing = nullptr;

// Stands for the operation of an `executeOp` that only takes over results. Never looked into.
char results_only;
TFE_Op* ResultsOnly() { return reinterpret_cast<TFE_Op*>(&results_only); }

napi_value Throw(napi_env env, const std::string& message) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && !pending)
    napi_throw_error(env, "ERR_TENSORFLOW_FUNCTION", message.c_str());
  return nullptr;
}

bool ReadString(napi_env env, napi_value value, std::string* text) {
  size_t size = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &size) != napi_ok) return false;
  text->resize(size + 1);
  if (napi_get_value_string_utf8(env, value, &(*text)[0], size + 1, &size) != napi_ok) return false;
  text->resize(size);
  return true;
}

bool ReadBytes(napi_env env, napi_value value, std::string* bytes) {
  bool typed = false;
  napi_typedarray_type type;
  size_t size = 0;
  void* data = nullptr;
  if (napi_is_typedarray(env, value, &typed) != napi_ok || !typed) return false;
  if (napi_get_typedarray_info(env, value, &type, &size, &data, nullptr, nullptr) != napi_ok) return false;
  if (type != napi_uint8_array) return false;
  bytes->assign(static_cast<const char*>(data), size);
  return true;
}

bool ReadArguments(napi_env env, napi_callback_info info, size_t wanted, napi_value* arguments, Functions** functions) {
  size_t count = wanted;
  return napi_get_cb_info(env, info, &count, arguments, nullptr, reinterpret_cast<void**>(functions)) == napi_ok &&
         count == wanted;
}

// TensorFlow reads config_proto only where executor_type is present too.
void SetAttributes(TFE_Op* operation, const std::string& executor, const std::string& config) {
  convscope_TFE_OpSetAttrString(operation, "executor_type", executor.data(), executor.size());
  convscope_TFE_OpSetAttrString(operation, "config_proto", config.data(), config.size());
}

napi_value OwnKernels(napi_env env, napi_callback_info info) {
  napi_value arguments[1], result;
  Functions* functions;
  int threads = 0;
  if (!ReadArguments(env, info, 1, arguments, &functions) ||
      napi_get_value_int32(env, arguments[0], &threads) != napi_ok || threads < 1)
    return Throw(env, "ownKernels takes a number of threads");
  try {
    const bool registered = convscope_register_own_kernels(threads);
    return napi_get_boolean(env, registered, &result) == napi_ok ? result : nullptr;
  } catch (const std::exception& failure) {
    return Throw(env, failure.what());
  }
}

napi_value Operations(napi_env env, napi_callback_info) {
  TF_Buffer* list = convscope_TF_GetAllOpList();
  void* data = nullptr;
  napi_value buffer, bytes;
  bool made = napi_create_arraybuffer(env, list->length, &data, &buffer) == napi_ok;
  if (made) {
    memcpy(data, list->data, list->length);
    made = napi_create_typedarray(env, napi_uint8_array, list->length, buffer, 0, &bytes) == napi_ok;
  }
  convscope_TF_DeleteBuffer(list);
  return made ? bytes : Throw(env, "the list of operations does not fit into memory");
}

napi_value Add(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  Functions* functions;
  std::string definition;
  if (!ReadArguments(env, info, 1, arguments, &functions) || !ReadBytes(env, arguments[0], &definition))
    return Throw(env, "add takes a Uint8Array");
  Call call;  // for its status
  convscope_TFE_ContextAddFunctionDef(functions->context, definition.data(), definition.size(), call.status);
  if (convscope_TF_GetCode(call.status) != TF_OK) return Throw(env, convscope_TF_Message(call.status));
  return nullptr;
}

napi_value Remove(napi_env env, napi_callback_info info) {
  napi_value arguments[1];
  Functions* functions;
  std::string name;
  if (!ReadArguments(env, info, 1, arguments, &functions) || !ReadString(env, arguments[0], &name))
    return Throw(env, "remove takes a name");
  Call call;  // for its status
  convscope_TFE_ContextRemoveFunction(functions->context, name.c_str(), call.status);
  if (convscope_TF_GetCode(call.status) != TF_OK) return Throw(env, convscope_TF_Message(call.status));
  return nullptr;
}

// executeOp(name, [], inputs, outputs) of the binding. False with an exception pending where it throws.
bool ExecuteOp(napi_env env, const Functions& functions, napi_value name, napi_value inputs, int outputs, napi_value* infos) {
  napi_value execute_op, global, attributes, count;
  if (napi_get_reference_value(env, functions.execute_op, &execute_op) != napi_ok) return false;
  if (napi_get_global(env, &global) != napi_ok) return false;
  if (napi_create_array(env, &attributes) != napi_ok) return false;
  if (napi_create_int32(env, outputs, &count) != napi_ok) return false;
  napi_value arguments[] = {name, attributes, inputs, count};
  const napi_status status = napi_call_function(env, global, execute_op, 4, arguments, infos);
  bool pending = false;
  return status == napi_ok && napi_is_exception_pending(env, &pending) == napi_ok && !pending;
}

// Fills a call from the arguments of `call` and `start` and lets the binding make the operation. False with an exception pending.
bool Begin(napi_env env, napi_callback_info info, bool elsewhere, Call* call, napi_value* infos) {
  napi_value arguments[5];
  bool is_array = false;
  if (!ReadArguments(env, info, 5, arguments, &call->functions) ||
      !ReadString(env, arguments[0], &call->name) || napi_is_array(env, arguments[1], &is_array) != napi_ok || !is_array ||
      napi_get_value_int32(env, arguments[2], &call->count) != napi_ok || call->count < 0 ||
      !ReadString(env, arguments[3], &call->executor) || !ReadBytes(env, arguments[4], &call->config)) {
    Throw(env, "call and start take a name, tensor numbers, the number of outputs, an executor and a Uint8Array");
    return false;
  }
  call->elsewhere = elsewhere;
  call->results.assign(call->count, nullptr);
  starting = call;
  const bool done = ExecuteOp(env, *call->functions, arguments[0], arguments[1], elsewhere ? 0 : call->count, infos);
  starting = nullptr;
  if (!done) Throw(env, "the function could not be called");
  return done;
}

napi_value CallHere(napi_env env, napi_callback_info info) {
  Call call;
  napi_value infos;
  return Begin(env, info, false, &call, &infos) ? infos : nullptr;
}

// The single-threaded executor is the fastest, but its errors do not say which node failed. Functions have no effects besides their
// results, so a failed call is made once more by the default executor, whose error names the node.
void Execute(Call* call, TFE_Op* operation, TFE_TensorHandle** results, int* count, TF_Status* status) {
  const int wanted = *count;
  convscope_TFE_Execute(operation, results, count, status);
  if (convscope_TF_GetCode(status) == TF_OK) return;
  TF_Status* preparing = convscope_TF_NewStatus();
  TFE_Op* again = convscope_TFE_NewOp(call->functions->context, call->name.c_str(), preparing);
  for (size_t i = 0; i < call->inputs.size() && convscope_TF_GetCode(preparing) == TF_OK; i++)
    convscope_TFE_OpAddInput(again, call->inputs[i], preparing);
  if (convscope_TF_GetCode(preparing) == TF_OK) {
    SetAttributes(again, "", call->config);
    *count = wanted;
    convscope_TFE_Execute(again, results, count, status);
  }
  if (again != nullptr) convscope_TFE_DeleteOp(again);
  convscope_TF_DeleteStatus(preparing);
}

void Run(napi_env, void* data) {
  Call* call = static_cast<Call*>(data);
  Execute(call, call->operation, call->results.data(), &call->count, call->status);
}

void Reject(napi_env env, napi_deferred deferred, const char* message) {
  napi_value text, error;
  if (napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text) != napi_ok) return;
  if (napi_create_error(env, nullptr, text, &error) != napi_ok) return;
  napi_reject_deferred(env, deferred, error);
}

void Complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Call> call(static_cast<Call*>(data));
  napi_delete_async_work(env, call->work);
  call->DeleteOperation();
  if (status != napi_ok) return Reject(env, call->deferred, "the call was cancelled");
  if (convscope_TF_GetCode(call->status) != TF_OK) return Reject(env, call->deferred, convscope_TF_Message(call->status));
  napi_value name, inputs, infos, failure;
  if (napi_create_string_utf8(env, "", 0, &name) != napi_ok || napi_create_array(env, &inputs) != napi_ok) return;
  finishing = call.get();
  const bool done = ExecuteOp(env, *call->functions, name, inputs, call->count, &infos);
  finishing = nullptr;
  if (done) {
    napi_resolve_deferred(env, call->deferred, infos);
  } else if (napi_get_and_clear_last_exception(env, &failure) == napi_ok) {
    napi_reject_deferred(env, call->deferred, failure);
  }
}

napi_value Start(napi_env env, napi_callback_info info) {
  std::unique_ptr<Call> call(new Call);
  napi_value infos, promise, label;
  if (!Begin(env, info, true, call.get(), &infos)) return nullptr;
  if (napi_create_string_utf8(env, "ConvScope compiled step", NAPI_AUTO_LENGTH, &label) != napi_ok ||
      napi_create_async_work(env, nullptr, label, Run, Complete, call.get(), &call->work) != napi_ok ||
      napi_create_promise(env, &call->deferred, &promise) != napi_ok) {
    return Throw(env, "the call could not be prepared");
  }
  if (napi_queue_async_work(env, call->work) != napi_ok) return Throw(env, "the call could not be queued");
  call.release();  // Complete deletes it
  return promise;
}

void Delete(void* data) { delete static_cast<Functions*>(data); }

}  // namespace

extern "C" TFE_Op* convscope_new_operation(TFE_Context* context, const char* name, TF_Status* status) {
  if (finishing != nullptr) return ResultsOnly();
  TFE_Op* operation = convscope_TFE_NewOp(context, name, status);
  if (starting != nullptr && operation != nullptr) SetAttributes(operation, starting->executor, starting->config);
  return operation;
}

extern "C" void convscope_add_input(TFE_Op* operation, TFE_TensorHandle* input, TF_Status* status) {
  convscope_TFE_OpAddInput(operation, input, status);
  if (starting == nullptr || convscope_TF_GetCode(status) != TF_OK) return;
  TFE_TensorHandle* own = convscope_TFE_TensorHandleCopySharingTensor(input, status);
  if (own != nullptr) starting->inputs.push_back(own);
}

extern "C" void convscope_execute_operation(TFE_Op* operation, TFE_TensorHandle** results, int* count, TF_Status* status) {
  if (finishing != nullptr) {
    for (int i = 0; i < *count; i++) std::swap(results[i], finishing->results[i]);
  } else if (starting != nullptr && starting->elsewhere) {
    starting->operation = operation;
  } else if (starting != nullptr) {
    Execute(starting, operation, results, count, status);
  } else {
    convscope_TFE_Execute(operation, results, count, status);
  }
}

extern "C" void convscope_delete_operation(TFE_Op* operation) {
  if (operation == ResultsOnly()) return;
  if (starting != nullptr && starting->operation == operation) return;
  convscope_TFE_DeleteOp(operation);
}

extern "C" bool convscope_add_function_calls(napi_env env, napi_value exports, TFE_Context* context) {
  napi_value object, execute_op;
  std::unique_ptr<Functions> functions(new Functions);
  functions->context = context;
  if (napi_create_object(env, &object) != napi_ok) return false;
  if (napi_get_named_property(env, exports, "executeOp", &execute_op) != napi_ok) return false;
  if (napi_create_reference(env, execute_op, 1, &functions->execute_op) != napi_ok) return false;
  const struct {
    const char* name;
    napi_callback body;
  } members[] = {{"ownKernels", OwnKernels}, {"operations", Operations}, {"add", Add},
               {"remove", Remove},         {"call", CallHere},         {"start", Start}};
  for (const auto& member : members) {
    napi_value function;
    if (napi_create_function(env, member.name, NAPI_AUTO_LENGTH, member.body, functions.get(), &function) != napi_ok)
      return false;
    if (napi_set_named_property(env, object, member.name, function) != napi_ok) return false;
  }
  if (napi_set_named_property(env, exports, "functions", object) != napi_ok) return false;
  // The functions above may outlive any object: what they share is deleted with the environment, when no call is under way any more.
  if (napi_add_env_cleanup_hook(env, Delete, functions.get()) != napi_ok) return false;
  functions.release();
  return true;
}
