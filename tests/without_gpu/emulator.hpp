// Runs CUDA C++ on the host, to test kernels where there is no graphics card: one block after another, each
// thread of a block a fiber or, with -DEMULATE_THREADS, a thread of the operating system for ThreadSanitizer
// to watch.
//
// It is stricter than a device. Threads that should meet and do not are an error, whatever a device would do;
// fibers run in an order that the caller chooses; shared memory is new and full of NaN for every block, on
// the heap at its exact size, so that AddressSanitizer sees an overrun. Shuffles pass values and order
// nothing else: with threads they are relaxed atomics, so that ThreadSanitizer reports shared memory that
// relies on a shuffle where it needs __syncwarp.
#pragma once

#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#ifdef EMULATE_THREADS
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#elif !defined(__x86_64__)
#error "fibers are switched in x86-64 assembly; build with -DEMULATE_THREADS elsewhere"
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

#define __device__
#define __forceinline__ inline

namespace emulator {

constexpr unsigned WARP = 32;

// What waits for whom: all threads of a block, or of a warp.
enum class Meeting { SYNCTHREADS, SYNCWARP, SHUFFLE };
inline const char *const NAMES[] = {"__syncthreads", "__syncwarp", "a shuffle"};

[[noreturn]] inline void fail(const char *format, ...) {
    va_list values;
    va_start(values, format);
    std::fputs("emulator: ", stderr);
    std::vfprintf(stderr, format, values);
    std::fputs("\n", stderr);
    std::fflush(nullptr);
    std::_Exit(3);
}

[[noreturn]] inline void disagree(unsigned thread, Meeting own, Meeting others) {
    fail("thread %u is at %s while others wait at %s", thread, NAMES[int(own)], NAMES[int(others)]);
}

struct Index {
    unsigned x, y = 0, z = 0;
};

struct Thread;
inline thread_local Thread *current = nullptr;
inline Index block_index, block_size, grid_size;

#ifdef EMULATE_THREADS

// Threads that meet. Those of a warp also exchange values, by atomics that order nothing.
struct Group {
    unsigned size = 0, arrived = 0, round = 0;
    Meeting at{};
    std::mutex mutex;
    std::condition_variable changed;
    std::atomic<unsigned> exchanging{0}, exchanged{0};
    std::atomic<std::uint64_t> slots[2][WARP];
};

struct Thread {
    unsigned index;
    Group *warp, *block;
};

constexpr std::chrono::seconds PATIENCE(20);

inline void meet(Group &group, Meeting at) {
    std::unique_lock<std::mutex> lock(group.mutex);
    if (group.arrived == 0)
        group.at = at;
    else if (group.at != at)
        disagree(current->index, at, group.at);
    const unsigned round = group.round;
    if (++group.arrived == group.size) {
        group.arrived = 0;
        ++group.round;
        group.changed.notify_all();
    } else if (!group.changed.wait_for(lock, PATIENCE, [&] { return group.round != round; })) {
        fail("thread %u waits at %s for threads that do not come", current->index, NAMES[int(at)]);
    }
}

inline std::uint64_t exchange(std::uint64_t value, unsigned from) {
    Group &warp = *current->warp;
    const unsigned round = warp.exchanged.load(std::memory_order_relaxed);
    warp.slots[round & 1][current->index % WARP].store(value, std::memory_order_relaxed);
    if (warp.exchanging.fetch_add(1, std::memory_order_relaxed) + 1 == warp.size) {
        warp.exchanging.store(0, std::memory_order_relaxed);
        warp.exchanged.store(round + 1, std::memory_order_relaxed);
    }
    const auto start = std::chrono::steady_clock::now();
    while (warp.exchanged.load(std::memory_order_relaxed) == round) {
        std::this_thread::yield();
        if (std::chrono::steady_clock::now() - start > PATIENCE)
            fail("thread %u waits at a shuffle for threads that do not come", current->index);
    }
    return warp.slots[round & 1][from].load(std::memory_order_relaxed);
}

inline void run_block(unsigned threads, int, std::mt19937 &, const std::function<void()> &body) {
    Group block;
    std::vector<Group> warps((threads + WARP - 1) / WARP);
    block.size = threads;
    for (unsigned warp = 0; warp < warps.size(); ++warp)
        warps[warp].size = std::min(WARP, threads - warp * WARP);
    std::vector<Thread> states;
    for (unsigned index = 0; index < threads; ++index)
        states.push_back({index, &warps[index / WARP], &block});
    std::vector<std::thread> running;
    for (Thread &state : states)
        running.emplace_back([&state, &body] {
            current = &state;
            body();
        });
    for (std::thread &each : running)
        each.join();
}

#else

struct Group {
    unsigned size = 0, arrived = 0, round = 0;
    Meeting at{};
    std::uint64_t slots[2][WARP] = {};
};

constexpr std::size_t STACK = 256 * 1024;

struct Thread {
    unsigned index;
    Group *warp, *block;
    std::unique_ptr<char[]> stack;
    void *pointer = nullptr;     // of the stack, while others run
    void *fake_stack = nullptr;  // AddressSanitizer's
    Group *waits = nullptr;
    unsigned round = 0;
    Meeting at{};
    bool done = false;
};

struct Scheduler {
    void *pointer = nullptr, *fake_stack = nullptr;
    const void *bottom = nullptr;
    std::size_t size = 0;
    const std::function<void()> *body = nullptr;
};
inline Scheduler scheduler;

extern "C" void emulator_switch(void **left, void *entered);
asm(R"(.text
.weak emulator_switch
.type emulator_switch, @function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size emulator_switch, . - emulator_switch
)");

inline void leave_fiber(bool for_good) {
    Thread &self = *current;
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(for_good ? nullptr : &self.fake_stack, scheduler.bottom, scheduler.size);
#endif
    emulator_switch(&self.pointer, scheduler.pointer);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(self.fake_stack, &scheduler.bottom, &scheduler.size);
#endif
    (void)for_good;
}

inline void enter_fiber(Thread &thread) {
    current = &thread;
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(&scheduler.fake_stack, thread.stack.get(), STACK);
#endif
    emulator_switch(&scheduler.pointer, thread.pointer);
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(scheduler.fake_stack, nullptr, nullptr);
#endif
}

inline void fiber() {
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(nullptr, &scheduler.bottom, &scheduler.size);
#endif
    (*scheduler.body)();
    current->done = true;
    leave_fiber(true);
    __builtin_trap();
}

inline void meet(Group &group, Meeting at) {
    if (group.arrived == 0)
        group.at = at;
    else if (group.at != at)
        disagree(current->index, at, group.at);
    if (++group.arrived == group.size) {
        group.arrived = 0;
        ++group.round;
        return;
    }
    current->waits = &group;
    current->round = group.round;
    current->at = at;
    leave_fiber(false);
}

inline std::uint64_t exchange(std::uint64_t value, unsigned from) {
    Group &warp = *current->warp;
    auto &slots = warp.slots[warp.round & 1];
    slots[current->index % WARP] = value;
    meet(warp, Meeting::SHUFFLE);
    return slots[from];
}

enum Order { FORWARD, REVERSE, RANDOM };

inline void run_block(
    unsigned threads, int order, std::mt19937 &generator, const std::function<void()> &body) {
    Group block;
    std::vector<Group> warps((threads + WARP - 1) / WARP);
    block.size = threads;
    for (unsigned warp = 0; warp < warps.size(); ++warp)
        warps[warp].size = std::min(WARP, threads - warp * WARP);
    std::vector<Thread> fibers(threads);
    for (unsigned index = 0; index < threads; ++index) {
        Thread &thread = fibers[index];
        thread.index = index;
        thread.warp = &warps[index / WARP];
        thread.block = &block;
        thread.stack.reset(new char[STACK]);
        // as emulator_switch leaves a stack: six registers below the address to return to, aligned for a call
        void **top =
            reinterpret_cast<void **>(reinterpret_cast<std::uintptr_t>(thread.stack.get() + STACK) & ~15ul);
        *--top = nullptr;
        *--top = reinterpret_cast<void *>(&fiber);
        thread.pointer = std::fill_n(top - 6, 6, nullptr) - 6;
    }
    scheduler.body = &body;
    std::vector<unsigned> turns(threads);
    std::iota(turns.begin(), turns.end(), 0u);
    if (order == REVERSE)
        std::reverse(turns.begin(), turns.end());
    for (unsigned left = threads; left > 0;) {
        if (order == RANDOM)
            std::shuffle(turns.begin(), turns.end(), generator);
        bool moved = false;
        for (unsigned turn : turns) {
            Thread &thread = fibers[turn];
            if (thread.done || (thread.waits && thread.waits->round == thread.round))
                continue;
            thread.waits = nullptr;
            enter_fiber(thread);
            moved = true;
            left -= thread.done;
        }
        if (!moved)
            for (const Thread &thread : fibers)
                if (!thread.done)
                    fail(
                        "thread %u of block %u waits at %s for threads that do not come", thread.index,
                        block_index.x, NAMES[int(thread.at)]);
    }
}

#endif

// Run `body` with the shared memory of its block, for every thread of every block.
inline void launch(
    Index grid, unsigned threads, std::size_t shared, int order, unsigned seed,
    const std::function<void(void *)> &body) {
    std::mt19937 generator(seed);
    grid_size = grid;
    block_size = {threads};
    for (unsigned block = 0; block < grid.x * grid.y; ++block) {
        block_index = {block % grid.x, block / grid.x};
        void *memory = std::aligned_alloc(16, (shared + 15) / 16 * 16);
        std::memset(memory, 0xFF, shared);
        run_block(threads, order, generator, [&] { body(memory); });
        std::free(memory);
    }
}

inline Index thread_index() { return {current->index}; }

template <class T> T passed(T value, unsigned from) {
    static_assert(sizeof(T) <= 8, "a shuffle passes at most eight bytes");
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = exchange(bits, from);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline unsigned lane() { return current->index % WARP; }

}  // namespace emulator

#define threadIdx (::emulator::thread_index())
#define blockIdx (::emulator::block_index)
#define blockDim (::emulator::block_size)
#define gridDim (::emulator::grid_size)

inline void __syncthreads() { emulator::meet(*emulator::current->block, emulator::Meeting::SYNCTHREADS); }
inline void __syncwarp() { emulator::meet(*emulator::current->warp, emulator::Meeting::SYNCWARP); }

template <class T> T __shfl_xor_sync(unsigned mask, T value, int width) {
    if (mask != ~0u)
        emulator::fail("a shuffle of part of a warp");
    return emulator::passed(value, emulator::lane() ^ unsigned(width));
}

struct alignas(16) float4 {
    float x, y, z, w;
};

inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __fmaf_rn(float x, float y, float z) { return std::fma(x, y, z); }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline double __dadd_rn(double x, double y) { return x + y; }
inline double __dsub_rn(double x, double y) { return x - y; }
inline double __dmul_rn(double x, double y) { return x * y; }
inline double __ddiv_rn(double x, double y) { return x / y; }
inline double __fma_rn(double x, double y, double z) { return std::fma(x, y, z); }
inline double __dsqrt_rn(double x) { return std::sqrt(x); }
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }
inline double __ll2double_rn(long long x) { return static_cast<double>(x); }
inline long long __double2ll_rz(double x) { return static_cast<long long>(x); }
inline unsigned __umulhi(unsigned x, unsigned y) {
    return static_cast<unsigned>(static_cast<unsigned long long>(x) * y >> 32);
}

inline double __longlong_as_double(long long bits) {
    double x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

inline int __float_as_int(float x) {
    int bits;
    std::memcpy(&bits, &x, sizeof bits);
    return bits;
}

inline float __int_as_float(int bits) {
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}
