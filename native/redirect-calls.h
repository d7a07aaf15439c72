// Compiled in front of each of tfjs-node's unchanged binding/*.cc (g++ -include): turns every call of TensorFlow's C API
// into a call through a pointer that tensorflow-loader.cc fills at run time, and keeps the binding's module
// initialiser for the loader instead of running it when the addon is loaded.
#pragma once

#include <node_api.h>

#include "tensorflow-c-api.h"

#define CONVSCOPE_DECLARE(result, name, parameters) \
  extern "C" {                                      \
  typedef result(*convscope_type_##name) parameters; \
  extern convscope_type_##name convscope_##name;    \
  }
TENSORFLOW_C_API(CONVSCOPE_DECLARE)
#undef CONVSCOPE_DECLARE

// Creates tfjs-node's backend for one Node environment and fills `exports`.
extern "C" napi_value convscope_initialise_binding(napi_env env, napi_value exports);

// Adds `functions` to the binding's exports; see function-calls.cc.
extern "C" bool convscope_add_function_calls(napi_env env, napi_value exports, TFE_Context* context);

#ifndef CONVSCOPE_LOADER
#define TF_Version convscope_TF_Version
#define TF_NewStatus convscope_TF_NewStatus
#define TF_DeleteStatus convscope_TF_DeleteStatus
#define TF_GetCode convscope_TF_GetCode
#define TF_Message convscope_TF_Message
#define TF_DataTypeSize convscope_TF_DataTypeSize
#define TF_NewTensor convscope_TF_NewTensor
#define TF_AllocateTensor convscope_TF_AllocateTensor
#define TF_DeleteTensor convscope_TF_DeleteTensor
#define TF_TensorType convscope_TF_TensorType
#define TF_NumDims convscope_TF_NumDims
#define TF_Dim convscope_TF_Dim
#define TF_TensorByteSize convscope_TF_TensorByteSize
#define TF_TensorData convscope_TF_TensorData
#define TF_TensorElementCount convscope_TF_TensorElementCount
#define TF_NewBuffer convscope_TF_NewBuffer
#define TF_NewBufferFromString convscope_TF_NewBufferFromString
#define TF_DeleteBuffer convscope_TF_DeleteBuffer
#define TF_NewGraph convscope_TF_NewGraph
#define TF_DeleteGraph convscope_TF_DeleteGraph
#define TF_GraphOperationByName convscope_TF_GraphOperationByName
#define TF_NewSessionOptions convscope_TF_NewSessionOptions
#define TF_DeleteSessionOptions convscope_TF_DeleteSessionOptions
#define TF_LoadSessionFromSavedModel convscope_TF_LoadSessionFromSavedModel
#define TF_DeleteSession convscope_TF_DeleteSession
#define TF_SessionRun convscope_TF_SessionRun
#define TF_DeleteDeviceList convscope_TF_DeleteDeviceList
#define TF_DeviceListCount convscope_TF_DeviceListCount
#define TF_DeviceListName convscope_TF_DeviceListName
#define TF_DeviceListType convscope_TF_DeviceListType
#define TFE_NewContextOptions convscope_TFE_NewContextOptions
#define TFE_DeleteContextOptions convscope_TFE_DeleteContextOptions
#define TFE_DeleteContext convscope_TFE_DeleteContext
#define TFE_ContextListDevices convscope_TFE_ContextListDevices
#define TFE_NewTensorHandle convscope_TFE_NewTensorHandle
#define TFE_DeleteTensorHandle convscope_TFE_DeleteTensorHandle
#define TFE_TensorHandleDataType convscope_TFE_TensorHandleDataType
#define TFE_TensorHandleNumDims convscope_TFE_TensorHandleNumDims
#define TFE_TensorHandleDim convscope_TFE_TensorHandleDim
#define TFE_TensorHandleResolve convscope_TFE_TensorHandleResolve
#define TFE_TensorHandleCopyToDevice convscope_TFE_TensorHandleCopyToDevice
#define TFE_OpSetAttrString convscope_TFE_OpSetAttrString
#define TFE_OpSetAttrInt convscope_TFE_OpSetAttrInt
#define TFE_OpSetAttrFloat convscope_TFE_OpSetAttrFloat
#define TFE_OpSetAttrBool convscope_TFE_OpSetAttrBool
#define TFE_OpSetAttrType convscope_TFE_OpSetAttrType
#define TFE_OpSetAttrShape convscope_TFE_OpSetAttrShape
#define TFE_OpSetAttrIntList convscope_TFE_OpSetAttrIntList
#define TFE_OpSetAttrFloatList convscope_TFE_OpSetAttrFloatList
#define TFE_OpSetAttrBoolList convscope_TFE_OpSetAttrBoolList
// The loader puts the thread counts into the options of the one context before it is made.
#define TFE_NewContext convscope_new_configured_context
extern "C" TFE_Context* convscope_new_configured_context(TFE_ContextOptions* options, TF_Status* status);

// function-calls.cc lets the binding start an operation and take its results at different times.
#define TFE_NewOp convscope_new_operation
#define TFE_OpAddInput convscope_add_input
#define TFE_Execute convscope_execute_operation
#define TFE_DeleteOp convscope_delete_operation
extern "C" TFE_Op* convscope_new_operation(TFE_Context* context, const char* name, TF_Status* status);
extern "C" void convscope_add_input(TFE_Op* operation, TFE_TensorHandle* input, TF_Status* status);
extern "C" void convscope_execute_operation(TFE_Op* operation, TFE_TensorHandle** results, int* count, TF_Status* status);
extern "C" void convscope_delete_operation(TFE_Op* operation);

#undef NAPI_MODULE
#define NAPI_MODULE(name, initialise) \
  extern "C" napi_value convscope_initialise_binding(napi_env env, napi_value exports) { return initialise(env, exports); }
#endif  // CONVSCOPE_LOADER
