/* What CuPy's kernels need to be C++ of this machine: CUDA's names, CuPy's headers, and a walk over the grid. The text
 * itself is the one that goes to NVRTC. Compile with -ffp-contract=off. Where a kernel has __syncthreads(), the threads
 * of a block are coroutines. */
#pragma once
#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <ucontext.h>
#include <vector>

#include <cuda_runtime_api.h>
#include <vector_functions.h>
#define __CUDACC_VER_MAJOR__ 13
#include <cuda_fp16.h>
#include <cuda_bf16.h>

#undef __shared__
#define __shared__ static
#undef __constant__
#define __constant__ static
#undef __launch_bounds__
#define __launch_bounds__(...)

static dim3 gridDim, blockDim, blockIdx, threadIdx;
static const int warpSize = 32;
static inline void __syncthreads();

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
static inline int __clz(int x) { return x ? __builtin_clz(x) : 32; }
static inline int __clzll(long long x) { return x ? __builtin_clzll(x) : 64; }
template <class T> static inline T __ldg(const T *p) { return *p; }
using std::abs;
using std::isfinite;
using std::isinf;
using std::isnan;
using std::max;
using std::min;
using std::signbit;

#include <cupy/complex.cuh>
#include <cupy/carray.cuh>
#include <cupy/math_constants.h>

/* A kernel, called with a pointer to each argument as cuLaunchKernel has them. */

template <class T> using plain = typename std::remove_const<typename std::remove_reference<T>::type>::type;
template <class... A> struct Sizes {
    static constexpr unsigned of[] = {sizeof(plain<A>)..., 0};
};
template <int... I> struct places {};
template <int N, int... I> struct places_to : places_to<N - 1, N - 1, I...> {};
template <int... I> struct places_to<0, I...> {
    typedef places<I...> type;
};
template <class... A, int... I> static void call(void (*kernel)(A...), void **arguments, places<I...>) {
    kernel((*(plain<A> *)arguments[I])...);
}
template <class... A> static void call(void (*kernel)(A...), void **arguments) {
    call(kernel, arguments, typename places_to<sizeof...(A)>::type());
}
template <class... A> static const unsigned *sizes_of(void (*)(A...)) { return Sizes<A...>::of; }

/* The threads of a block as coroutines, each of which runs to the next __syncthreads() in turn. */

static ucontext_t block_context;
static std::vector<ucontext_t> threads;
static std::vector<char> ended;
static unsigned running;
static void (*thread_body)();
static inline void __syncthreads() { swapcontext(&threads[running], &block_context); }
static void thread_main() {
    thread_body();
    ended[running] = 1;
    swapcontext(&threads[running], &block_context);
}
static void walk_in_turns(void (*body)()) {
    enum { STACK = 65536 };
    const unsigned count = blockDim.x;
    static std::vector<std::vector<char>> stacks;
    thread_body = body;
    threads.resize(count);
    while (stacks.size() < count) stacks.emplace_back(STACK);
    for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++) {
        ended.assign(count, 0);
        for (unsigned i = 0; i < count; i++) {
            getcontext(&threads[i]);
            threads[i].uc_stack.ss_sp = stacks[i].data(), threads[i].uc_stack.ss_size = STACK;
            makecontext(&threads[i], thread_main, 0);
        }
        for (unsigned left = count; left;)
            for (unsigned i = 0; i < count; i++)
                if (!ended[i]) {
                    running = threadIdx.x = i;
                    swapcontext(&block_context, &threads[i]);
                    left -= ended[i];
                }
    }
}
static void walk(void (*body)()) {
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)
            for (threadIdx.y = 0; threadIdx.y < blockDim.y; threadIdx.y++)
                for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++) body();
}

#define LAUNCHER(name, walk)                                                                                           \
    static void **arguments_of_##name;                                                                                 \
    static void body_of_##name() { call(name, arguments_of_##name); }                                                  \
    extern "C" const unsigned *sizes_##name() { return sizes_of(name); }                                               \
    extern "C" void launch_##name(unsigned gx, unsigned gy, unsigned bx, unsigned by, void **arguments) {              \
        gridDim = {gx, gy, 1}, blockDim = {bx, by, 1}, threadIdx = blockIdx = {0, 0, 0};                               \
        arguments_of_##name = arguments;                                                                               \
        walk(body_of_##name);                                                                                          \
    }
