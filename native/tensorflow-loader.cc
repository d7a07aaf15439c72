// The addon's own part: opens TensorFlow's library from a folder given at load time and hands tfjs-node's binding over.
//
// JavaScript sees one function:
//   load(folder: string, config: Uint8Array, environment: Record<string, string>, verbose: boolean): binding
// `config` is a serialised ConfigProto (thread counts, GPU memory); `environment` is put into the real environment of the
// process, which is the only one that TensorFlow reads; variables that are already set stay as they are.
#define CONVSCOPE_LOADER
#include "own-kernels.h"
#include "redirect-calls.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#define CONVSCOPE_DEFINE(result, name, parameters) convscope_type_##name convscope_##name = nullptr;
extern "C" {
TENSORFLOW_C_API(CONVSCOPE_DEFINE)
TENSORFLOW_KERNEL_C_API(CONVSCOPE_DEFINE)
}
#undef CONVSCOPE_DEFINE

namespace {

#ifdef __APPLE__
const char* const kLibraries[] = {"libtensorflow_framework.2.dylib", "libtensorflow_cc.2.dylib"};
#else
const char* const kLibraries[] = {"libtensorflow_framework.so.2", "libtensorflow_cc.so.2"};
#endif

std::mutex load_mutex;        // guards everything below: environments on several threads may load at once
std::string loaded_folder;    // empty until the library is open; it can only be opened once in a process
std::vector<uint8_t> config;  // of the context that is being made
TFE_Context* made_context;    // the one that was made last

// TensorFlow prints banners to stderr that no log level silences. While one of these lives, whatever is written there goes to a
// temporary file instead, whose text explains a failure.
class CapturedStderr {
 public:
  explicit CapturedStderr(bool verbose) {
    if (verbose) return;
    file_ = tmpfile();
    if (file_ == nullptr) return;
    fflush(stderr);
    saved_ = dup(STDERR_FILENO);
    if (saved_ >= 0) dup2(fileno(file_), STDERR_FILENO);
  }

  ~CapturedStderr() { Release(); }

  // Restores stderr and returns the last lines written meanwhile.
  std::string Release() {
    if (saved_ >= 0) {
      fflush(stderr);
      dup2(saved_, STDERR_FILENO);
      close(saved_);
      saved_ = -1;
    }
    if (file_ == nullptr) return "";
    constexpr long kLimit = 4000;
    fseek(file_, 0, SEEK_END);
    const long size = ftell(file_);
    fseek(file_, size > kLimit ? size - kLimit : 0, SEEK_SET);
    std::string text(size > kLimit ? kLimit : (size > 0 ? size : 0), '\0');
    text.resize(fread(&text[0], 1, text.size(), file_));
    fclose(file_);
    file_ = nullptr;
    return text;
  }

 private:
  FILE* file_ = nullptr;
  int saved_ = -1;
};

// Returns an empty string, or why the library cannot be used.
std::string OpenLibrary(const std::string& folder) {
  if (!loaded_folder.empty()) {
    if (loaded_folder == folder) return "";
    return "TensorFlow's library is already loaded from " + loaded_folder;
  }
  void* handles[2];
  for (int i = 0; i < 2; i++) {
    const std::string path = folder + "/" + kLibraries[i];
    // RTLD_LOCAL keeps TensorFlow's copies of protobuf, absl and LLVM from meeting those of other libraries.
    handles[i] = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handles[i] == nullptr) return dlerror();
  }
#define CONVSCOPE_RESOLVE(result, name, parameters)                                 \
  {                                                                                 \
    void* symbol = dlsym(handles[1], #name);                                        \
    if (symbol == nullptr) symbol = dlsym(handles[0], #name);                       \
    if (symbol == nullptr) return "the library in " + folder + " lacks " #name;     \
    memcpy(&convscope_##name, &symbol, sizeof symbol);                              \
  }
  TENSORFLOW_C_API(CONVSCOPE_RESOLVE)
#undef CONVSCOPE_RESOLVE
#define CONVSCOPE_RESOLVE_IF_PRESENT(result, name, parameters) \
  {                                                            \
    void* symbol = dlsym(handles[1], #name);                   \
    if (symbol == nullptr) symbol = dlsym(handles[0], #name);  \
    memcpy(&convscope_##name, &symbol, sizeof symbol);         \
  }
  TENSORFLOW_KERNEL_C_API(CONVSCOPE_RESOLVE_IF_PRESENT)
#undef CONVSCOPE_RESOLVE_IF_PRESENT
  loaded_folder = folder;
  return "";
}

napi_value Throw(napi_env env, const std::string& message) {
  napi_throw_error(env, "ERR_TENSORFLOW_LIBRARY", message.c_str());
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

bool SetEnvironment(napi_env env, napi_value environment) {
  napi_value names;
  uint32_t count = 0;
  if (napi_get_property_names(env, environment, &names) != napi_ok) return false;
  if (napi_get_array_length(env, names, &count) != napi_ok) return false;
  for (uint32_t i = 0; i < count; i++) {
    napi_value name, value;
    std::string name_text, value_text;
    if (napi_get_element(env, names, i, &name) != napi_ok) return false;
    if (napi_get_property(env, environment, name, &value) != napi_ok) return false;
    if (!ReadString(env, name, &name_text) || !ReadString(env, value, &value_text)) return false;
    setenv(name_text.c_str(), value_text.c_str(), 0);
  }
  return true;
}

napi_value Load(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4];
  std::string folder;
  napi_typedarray_type type;
  size_t size = 0;
  void* data = nullptr;
  bool verbose = false;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok || count != 4 ||
      !ReadString(env, arguments[0], &folder) ||
      napi_get_typedarray_info(env, arguments[1], &type, &size, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array || napi_get_value_bool(env, arguments[3], &verbose) != napi_ok) {
    return Throw(env, "load takes a folder, a Uint8Array, an object of strings and a boolean");
  }
  std::lock_guard<std::mutex> lock(load_mutex);
  void* previous = nullptr;
  if (napi_get_instance_data(env, &previous) != napi_ok || previous != nullptr) {
    return Throw(env, "TensorFlow's library is already in use by this thread");
  }
  if (!SetEnvironment(env, arguments[2])) return Throw(env, "the environment must be an object of strings");

  CapturedStderr captured(verbose);
  const std::string error = OpenLibrary(folder);
  if (!error.empty()) return Throw(env, "TensorFlow's library cannot be loaded: " + error);
  config.assign(static_cast<uint8_t*>(data), static_cast<uint8_t*>(data) + size);
  napi_value exports;
  if (napi_create_object(env, &exports) != napi_ok) return nullptr;
  try {
    napi_value binding = convscope_initialise_binding(env, exports);
    if (binding != nullptr && !convscope_add_function_calls(env, binding, made_context)) return nullptr;
    return binding;
  } catch (const std::exception& failure) {
    return Throw(env, std::string("TensorFlow could not be started: ") + failure.what() + "\n" + captured.Release());
  }
}

}  // namespace

// Called by the binding in place of TFE_NewContext. Throws where there is no context, because the binding would use a null one.
extern "C" TFE_Context* convscope_new_configured_context(TFE_ContextOptions* options, TF_Status* status) {
  convscope_TFE_ContextOptionsSetConfig(options, config.data(), config.size(), status);
  if (convscope_TF_GetCode(status) != TF_OK) throw std::runtime_error(convscope_TF_Message(status));
  TFE_Context* context = convscope_TFE_NewContext(options, status);
  if (context == nullptr) throw std::runtime_error(convscope_TF_Message(status));
  made_context = context;
  return context;
}

NAPI_MODULE_INIT() {
  napi_value load;
  if (napi_create_function(env, "load", NAPI_AUTO_LENGTH, Load, nullptr, &load) != napi_ok) return nullptr;
  if (napi_set_named_property(env, exports, "load", load) != napi_ok) return nullptr;
  return exports;
}
