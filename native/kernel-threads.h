// Threads of the addon's own kernels. TensorFlow's pool cannot be reached through its C API; it rests while one of these kernels runs, because
// captured steps run one kernel after the other.
#pragma once

#include <stdint.h>

namespace convscope {

// The number of threads that work on a kernel, the calling one included. Only the first call makes threads, and they stay.
void StartKernelThreads(int count);

// Runs body(context, task) once for each task below `tasks`, in any order, and returns when all have run. Where other threads are at work
// for another kernel, the calling thread runs all. Results must not depend on who runs what.
void RunTasks(int64_t tasks, void (*body)(void* context, int64_t task), void* context);

template <typename Body>
void ForEachTask(int64_t tasks, Body body) {
  RunTasks(tasks, [](void* context, int64_t task) { (*static_cast<Body*>(context))(task); }, &body);
}

}  // namespace convscope
