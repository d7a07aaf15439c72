// The part of TensorFlow's stable C API that tfjs-node's binding uses, so that no TensorFlow headers are needed to build.
// Signatures, enumeration values and the 24-byte TF_TString are those of TensorFlow 2.x on 64-bit little-endian machines.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern "C" {

typedef enum {
  TF_FLOAT = 1,
  TF_DOUBLE = 2,
  TF_INT32 = 3,
  TF_UINT8 = 4,
  TF_INT16 = 5,
  TF_INT8 = 6,
  TF_STRING = 7,
  TF_COMPLEX64 = 8,
  TF_INT64 = 9,
  TF_BOOL = 10,
  TF_RESOURCE = 20,
} TF_DataType;

typedef enum { TF_OK = 0 } TF_Code;

typedef enum {
  TF_ATTR_STRING = 0,
  TF_ATTR_INT = 1,
  TF_ATTR_FLOAT = 2,
  TF_ATTR_BOOL = 3,
  TF_ATTR_TYPE = 4,
  TF_ATTR_SHAPE = 5,
} TF_AttrType;

typedef struct TF_Status TF_Status;
typedef struct TF_Tensor TF_Tensor;
typedef struct TF_Buffer {
  const void* data;
  size_t length;
  void (*data_deallocator)(void* data, size_t length);
} TF_Buffer;
typedef struct TF_Graph TF_Graph;
typedef struct TF_Session TF_Session;
typedef struct TF_SessionOptions TF_SessionOptions;
typedef struct TF_Operation TF_Operation;
typedef struct TF_DeviceList TF_DeviceList;
typedef struct TFE_Context TFE_Context;
typedef struct TFE_ContextOptions TFE_ContextOptions;
typedef struct TFE_TensorHandle TFE_TensorHandle;
typedef struct TFE_Op TFE_Op;
typedef struct {
  TF_Operation* oper;
  int index;
} TF_Output;

}  // extern "C"

// A string of TensorFlow. The two low bits of the first byte tell the form:
// 0: up to 22 bytes in place; 1: on the heap; 2: at an offset from itself; 3: a view of memory that it does not own.
typedef union {
  unsigned char raw[24];
  struct {
    uint64_t size, capacity;
    char* data;
  } large;
  struct {
    uint32_t size, offset;
  } offset;
  struct {
    uint64_t size;
    const char* data;
  } view;
} TF_TString;

static_assert(sizeof(TF_TString) == 24, "only 64-bit machines are supported");

static inline void TF_TString_Init(TF_TString* string) { memset(string, 0, sizeof *string); }

static inline void TF_TString_Dealloc(TF_TString* string) {
  if ((string->raw[0] & 3) == 1) free(string->large.data);
  TF_TString_Init(string);
}

static inline void TF_TString_Copy(TF_TString* string, const char* data, size_t size) {
  TF_TString_Dealloc(string);
  if (size <= 22) {
    string->raw[0] = static_cast<unsigned char>(size << 2);
    memcpy(string->raw + 1, data, size);
    return;
  }
  const size_t capacity = ((size + 16) & ~static_cast<size_t>(15)) - 1;
  char* copy = static_cast<char*>(malloc(capacity + 1));
  if (copy == nullptr) abort();
  memcpy(copy, data, size);
  copy[size] = 0;
  string->large.size = (static_cast<uint64_t>(size) << 2) | 1;
  string->large.capacity = capacity;
  string->large.data = copy;
}

static inline size_t TF_TString_GetSize(const TF_TString* string) {
  switch (string->raw[0] & 3) {
    case 0:
      return string->raw[0] >> 2;
    case 2:
      return string->offset.size >> 2;
    default:
      return static_cast<size_t>(string->large.size >> 2);
  }
}

static inline const char* TF_TString_GetDataPointer(const TF_TString* string) {
  switch (string->raw[0] & 3) {
    case 0:
      return reinterpret_cast<const char*>(string->raw) + 1;
    case 1:
      return string->large.data;
    case 2:
      return reinterpret_cast<const char*>(string) + string->offset.offset;
    default:
      return string->view.data;
  }
}

// X(return type, name, parameters): the entry points that tensorflow-loader.cc resolves at run time.
// The last five are the addon's own; the other 55 are called by tfjs-node's binding.
#define TENSORFLOW_C_API(X)                                                                                      \
  X(const char*, TF_Version, (void))                                                                             \
  X(TF_Status*, TF_NewStatus, (void))                                                                            \
  X(void, TF_DeleteStatus, (TF_Status*))                                                                         \
  X(TF_Code, TF_GetCode, (const TF_Status*))                                                                     \
  X(const char*, TF_Message, (const TF_Status*))                                                                 \
  X(size_t, TF_DataTypeSize, (TF_DataType))                                                                      \
  X(TF_Tensor*, TF_NewTensor,                                                                                    \
    (TF_DataType, const int64_t*, int, void*, size_t, void (*)(void*, size_t, void*), void*))                    \
  X(TF_Tensor*, TF_AllocateTensor, (TF_DataType, const int64_t*, int, size_t))                                   \
  X(void, TF_DeleteTensor, (TF_Tensor*))                                                                         \
  X(TF_DataType, TF_TensorType, (const TF_Tensor*))                                                              \
  X(int, TF_NumDims, (const TF_Tensor*))                                                                         \
  X(int64_t, TF_Dim, (const TF_Tensor*, int))                                                                    \
  X(size_t, TF_TensorByteSize, (const TF_Tensor*))                                                               \
  X(void*, TF_TensorData, (const TF_Tensor*))                                                                    \
  X(int64_t, TF_TensorElementCount, (const TF_Tensor*))                                                          \
  X(TF_Buffer*, TF_NewBuffer, (void))                                                                            \
  X(TF_Buffer*, TF_NewBufferFromString, (const void*, size_t))                                                   \
  X(void, TF_DeleteBuffer, (TF_Buffer*))                                                                         \
  X(TF_Graph*, TF_NewGraph, (void))                                                                              \
  X(void, TF_DeleteGraph, (TF_Graph*))                                                                           \
  X(TF_Operation*, TF_GraphOperationByName, (TF_Graph*, const char*))                                            \
  X(TF_SessionOptions*, TF_NewSessionOptions, (void))                                                            \
  X(void, TF_DeleteSessionOptions, (TF_SessionOptions*))                                                         \
  X(TF_Session*, TF_LoadSessionFromSavedModel,                                                                   \
    (const TF_SessionOptions*, const TF_Buffer*, const char*, const char* const*, int, TF_Graph*, TF_Buffer*,    \
     TF_Status*))                                                                                                \
  X(void, TF_DeleteSession, (TF_Session*, TF_Status*))                                                           \
  X(void, TF_SessionRun,                                                                                         \
    (TF_Session*, const TF_Buffer*, const TF_Output*, TF_Tensor* const*, int, const TF_Output*, TF_Tensor**,     \
     int, const TF_Operation* const*, int, TF_Buffer*, TF_Status*))                                              \
  X(void, TF_DeleteDeviceList, (TF_DeviceList*))                                                                 \
  X(int, TF_DeviceListCount, (const TF_DeviceList*))                                                             \
  X(const char*, TF_DeviceListName, (const TF_DeviceList*, int, TF_Status*))                                     \
  X(const char*, TF_DeviceListType, (const TF_DeviceList*, int, TF_Status*))                                     \
  X(TFE_ContextOptions*, TFE_NewContextOptions, (void))                                                          \
  X(void, TFE_DeleteContextOptions, (TFE_ContextOptions*))                                                       \
  X(TFE_Context*, TFE_NewContext, (const TFE_ContextOptions*, TF_Status*))                                       \
  X(void, TFE_DeleteContext, (TFE_Context*))                                                                     \
  X(TF_DeviceList*, TFE_ContextListDevices, (TFE_Context*, TF_Status*))                                          \
  X(TFE_TensorHandle*, TFE_NewTensorHandle, (const TF_Tensor*, TF_Status*))                                      \
  X(void, TFE_DeleteTensorHandle, (TFE_TensorHandle*))                                                           \
  X(TF_DataType, TFE_TensorHandleDataType, (TFE_TensorHandle*))                                                  \
  X(int, TFE_TensorHandleNumDims, (TFE_TensorHandle*, TF_Status*))                                               \
  X(int64_t, TFE_TensorHandleDim, (TFE_TensorHandle*, int, TF_Status*))                                          \
  X(TF_Tensor*, TFE_TensorHandleResolve, (TFE_TensorHandle*, TF_Status*))                                        \
  X(TFE_TensorHandle*, TFE_TensorHandleCopyToDevice, (TFE_TensorHandle*, TFE_Context*, const char*, TF_Status*)) \
  X(TFE_Op*, TFE_NewOp, (TFE_Context*, const char*, TF_Status*))                                                 \
  X(void, TFE_DeleteOp, (TFE_Op*))                                                                               \
  X(void, TFE_OpAddInput, (TFE_Op*, TFE_TensorHandle*, TF_Status*))                                              \
  X(void, TFE_OpSetAttrString, (TFE_Op*, const char*, const void*, size_t))                                      \
  X(void, TFE_OpSetAttrInt, (TFE_Op*, const char*, int64_t))                                                     \
  X(void, TFE_OpSetAttrFloat, (TFE_Op*, const char*, float))                                                     \
  X(void, TFE_OpSetAttrBool, (TFE_Op*, const char*, unsigned char))                                              \
  X(void, TFE_OpSetAttrType, (TFE_Op*, const char*, TF_DataType))                                                \
  X(void, TFE_OpSetAttrShape, (TFE_Op*, const char*, const int64_t*, int, TF_Status*))                           \
  X(void, TFE_OpSetAttrIntList, (TFE_Op*, const char*, const int64_t*, int))                                     \
  X(void, TFE_OpSetAttrFloatList, (TFE_Op*, const char*, const float*, int))                                     \
  X(void, TFE_OpSetAttrBoolList, (TFE_Op*, const char*, const unsigned char*, int))                              \
  X(void, TFE_Execute, (TFE_Op*, TFE_TensorHandle**, int*, TF_Status*))                                          \
  X(void, TFE_ContextOptionsSetConfig, (TFE_ContextOptions*, const void*, size_t, TF_Status*))                   \
  X(void, TFE_ContextAddFunctionDef, (TFE_Context*, const char*, size_t, TF_Status*))                            \
  X(void, TFE_ContextRemoveFunction, (TFE_Context*, const char*, TF_Status*))                                    \
  X(TF_Buffer*, TF_GetAllOpList, (void))                                                                         \
  X(TFE_TensorHandle*, TFE_TensorHandleCopySharingTensor, (TFE_TensorHandle*, TF_Status*))
