/* Definitions that make keyrng's CUDA source valid C++ on the host: the prelude's operations, CUDA's names, and a loop
 * over the grid. The source itself is the one that runs on the GPU. Compile with -ffp-contract=off. Nothing is
 * included, because the headers of the library take longer to compile than a kernel. */
#ifndef KEYRNG_HOST
#define KEYRNG_HOST

#define __device__
#define __global__
#define __forceinline__ inline

struct dim3 {
    unsigned x, y, z;
};
static dim3 gridDim = {1, 1, 1}, blockDim = {1, 1, 1}, blockIdx, threadIdx;

/* Elements of any type are written as four of these. */
struct __attribute__((may_alias, aligned(16))) uint4 {
    unsigned x, y, z, w;
};
static inline void put16(void *to, unsigned a, unsigned b, unsigned c, unsigned d) { *(uint4 *)to = {a, b, c, d}; }

static inline unsigned long long wide(unsigned a, unsigned b) { return (unsigned long long)a * b; }
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
static inline int __clzll(long long a) { return a ? __builtin_clzll((unsigned long long)a) : 64; }

template <class To, class From> static inline To same_bits(From a) {
    static_assert(sizeof(To) == sizeof(From), "");
    To r;
    __builtin_memcpy(&r, &a, sizeof r);
    return r;
}

#define FLOAT_FUNCTIONS(real, word, F, U, ROOT)                                                                        \
    static inline real f_add(real a, real b) { return a + b; }                                                         \
    static inline real f_sub(real a, real b) { return a - b; }                                                         \
    static inline real f_mul(real a, real b) { return a * b; }                                                         \
    static inline real f_div(real a, real b) { return a / b; }                                                         \
    static inline real f_sqrt(real a) { return ROOT(a); }                                                              \
    static inline bool f_lt(real a, real b) { return a < b; }                                                          \
    static inline bool f_le(real a, real b) { return a <= b; }                                                         \
    static inline bool f_gt(real a, real b) { return a > b; }                                                          \
    static inline bool f_ge(real a, real b) { return a >= b; }                                                         \
    static inline bool f_eq(real a, real b) { return a == b; }                                                         \
    static inline bool f_ne(real a, real b) { return a != b; }                                                         \
    static inline real F##_of(word a) { return same_bits<real>(a); }                                                   \
    static inline word U##_of(real a) { return same_bits<word>(a); }                                                   \
    static inline unsigned uint32_from(real a) { return (unsigned)a; }                                                 \
    static inline int int32_from(real a) { return (int)a; }                                                            \
    static inline unsigned long long uint64_from(real a) { return (unsigned long long)a; }                             \
    static inline long long int64_from(real a) { return (long long)a; }                                                \
    static inline real F##_from(unsigned a) { return (real)a; }                                                        \
    static inline real F##_from(int a) { return (real)a; }                                                             \
    static inline real F##_from(unsigned long long a) { return (real)a; }                                              \
    static inline real F##_from(long long a) { return (real)a; }
FLOAT_FUNCTIONS(float, unsigned, float32, uint32, __builtin_sqrtf)
FLOAT_FUNCTIONS(double, unsigned long long, float64, uint64, __builtin_sqrt)
static inline float float32_from(double a) { return (float)a; }
static inline double float64_from(float a) { return (double)a; }

/* As cuLaunchKernel: a pointer to each argument. Every thread of the grid, one after the other. */
template <int... I> struct places {};
template <int N, int... I> struct places_to : places_to<N - 1, N - 1, I...> {};
template <int... I> struct places_to<0, I...> {
    typedef places<I...> type;
};
template <class... A, int... I> static void call(void (*kernel)(A...), void **arguments, places<I...>) {
    kernel(*(A *)arguments[I]...);
}
template <class... A> static void call(void (*kernel)(A...), void **arguments) {
    call(kernel, arguments, typename places_to<sizeof...(A)>::type());
}
template <class... A, int... I> static void walk(void (*kernel)(A...), void **arguments, places<I...>) {
    for (blockIdx.y = 0; blockIdx.y < gridDim.y; blockIdx.y++)
        for (blockIdx.x = 0; blockIdx.x < gridDim.x; blockIdx.x++)
            for (threadIdx.y = 0; threadIdx.y < blockDim.y; threadIdx.y++)
                for (threadIdx.x = 0; threadIdx.x < blockDim.x; threadIdx.x++) kernel(*(A *)arguments[I]...);
}
template <class... A> static void launch(void (*kernel)(A...), void **arguments) {
    walk(kernel, arguments, typename places_to<sizeof...(A)>::type());
}
#ifdef IN_TURNS
/* The threads of a block share memory: they are coroutines, each of which runs to the next __syncthreads() in turn. */
#include <stdlib.h>
#include <ucontext.h>
#define __shared__ static
enum { STACK = 65536, MOST = 1024 };
static ucontext_t block_context, threads[MOST];
static bool ended[MOST];
static unsigned running;
static void (*thread_body)();
static void __syncthreads() { swapcontext(&threads[running], &block_context); }
static void thread_main() {
    thread_body();
    ended[running] = true;
    swapcontext(&threads[running], &block_context);
}
static void block_in_turns() {
    static char *stacks = (char *)malloc((unsigned long)MOST * STACK);
    const unsigned count = blockDim.x * blockDim.y;
    for (unsigned i = 0; i < count; i++) {
        ended[i] = false;
        getcontext(&threads[i]);
        threads[i].uc_stack.ss_sp = stacks + (unsigned long)i * STACK, threads[i].uc_stack.ss_size = STACK;
        makecontext(&threads[i], thread_main, 0);
    }
    for (unsigned left = count; left;)
        for (running = 0; running < count; running++)
            if (!ended[running]) {
                threadIdx = {running % blockDim.x, running / blockDim.x, 0};
                swapcontext(&block_context, &threads[running]);
                left -= ended[running];
            }
}
#define LAUNCHER(name)                                                                                                 \
    static void **arguments_of_##name;                                                                                 \
    static void body_of_##name() { call(keyrng::name, arguments_of_##name); }                                          \
    extern "C" void launch_##name(                                                                                     \
            unsigned grid_x, unsigned grid_y, unsigned block_x, unsigned block_y, void **arguments) {                  \
        gridDim = {grid_x, grid_y, 1}, blockDim = {block_x, block_y, 1};                                               \
        arguments_of_##name = arguments, thread_body = body_of_##name;                                                 \
        for (blockIdx.y = 0; blockIdx.y < grid_y; blockIdx.y++)                                                        \
            for (blockIdx.x = 0; blockIdx.x < grid_x; blockIdx.x++) block_in_turns();                                  \
    }
#else
#define LAUNCHER(name)                                                                                                 \
    extern "C" void launch_##name(                                                                                     \
            unsigned grid_x, unsigned grid_y, unsigned block_x, unsigned block_y, void **arguments) {                  \
        gridDim = {grid_x, grid_y, 1}, blockDim = {block_x, block_y, 1};                                               \
        launch(keyrng::name, arguments);                                                                               \
    }
#endif
#endif
