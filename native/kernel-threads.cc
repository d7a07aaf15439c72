#ifdef CONVSCOPE_OWN_KERNELS
#include "kernel-threads.h"

#include <pthread.h>
#include <xmmintrin.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

namespace convscope {
namespace {

// About 20 microseconds: kernels of a step follow one another, and waking a thread takes longer than most of them.
constexpr int kLooksBeforeSleep = 1000;

class Locked {
 public:
  explicit Locked(pthread_mutex_t* mutex) : mutex_(mutex) { pthread_mutex_lock(mutex_); }
  ~Locked() { pthread_mutex_unlock(mutex_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  pthread_mutex_t* const mutex_;
};

struct Pool {
  std::mutex in_use;  // held by the thread whose tasks run
  // Guards what follows. Those of the standard library would ask for a newer one than the rest of the addon.
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
  std::atomic<uint64_t> round{0};
  bool open = false;  // whether helpers may join the round
  int64_t tasks = 0;
  void (*body)(void*, int64_t) = nullptr;
  void* context = nullptr;
  unsigned int rounding = 0;  // of the calling thread: TensorFlow flushes denormal numbers to zero in some of its threads
  std::atomic<int64_t> next{0};
  std::atomic<int> helping{0};
  std::atomic<bool> failed{false};
  int helpers = 0;

  // Tasks need memory. Who waits for the others is told when all have left: nobody may leave `context` before.
  void Work() {
    try {
      for (int64_t task = next.fetch_add(1); task < tasks; task = next.fetch_add(1)) body(context, task);
    } catch (const std::exception&) {
      failed.store(true);
    }
  }

  void Help() {
    uint64_t seen = 0;
    for (;;) {
      for (int look = 0; look < kLooksBeforeSleep && round.load(std::memory_order_acquire) == seen; look++)
        __builtin_ia32_pause();
      {
        const Locked lock(&mutex);
        while (round.load(std::memory_order_relaxed) == seen) pthread_cond_wait(&wake, &mutex);
        seen = round.load(std::memory_order_relaxed);
        if (!open) continue;
        helping.fetch_add(1);
      }
      _mm_setcsr(rounding);
      Work();
      helping.fetch_sub(1, std::memory_order_release);
    }
  }
};

// Never deleted: its threads wait until the process ends.
Pool& ThePool() {
  static Pool* pool = new Pool;
  return *pool;
}

}  // namespace

void StartKernelThreads(int count) {
  Pool& pool = ThePool();
  const std::lock_guard<std::mutex> lock(pool.in_use);
  if (pool.helpers > 0) return;
  try {
    for (; pool.helpers < count - 1; pool.helpers++) std::thread([&pool] { pool.Help(); }).detach();
  } catch (const std::system_error&) {
    // The system gives no more threads: it goes on with fewer.
  }
}

void RunTasks(int64_t tasks, void (*body)(void*, int64_t), void* context) {
  Pool& pool = ThePool();
  std::unique_lock<std::mutex> lock(pool.in_use, std::try_to_lock);
  if (tasks < 2 || !lock.owns_lock() || pool.helpers == 0) {
    for (int64_t task = 0; task < tasks; task++) body(context, task);
    return;
  }
  {
    const Locked guard(&pool.mutex);
    pool.tasks = tasks;
    pool.body = body;
    pool.context = context;
    pool.rounding = _mm_getcsr();
    pool.next.store(0);
    pool.failed.store(false);
    pool.open = true;
    pool.round.fetch_add(1, std::memory_order_release);
  }
  pthread_cond_broadcast(&pool.wake);
  pool.Work();
  {
    const Locked guard(&pool.mutex);
    pool.open = false;
  }
  for (int look = 0; pool.helping.load(std::memory_order_acquire) > 0; look++) {
    if (look < kLooksBeforeSleep) {
      __builtin_ia32_pause();
    } else {
      std::this_thread::yield();
    }
  }
  if (pool.failed.load()) throw std::bad_alloc();
}

}  // namespace convscope
#endif  // CONVSCOPE_OWN_KERNELS
