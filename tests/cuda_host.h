/* What keyrng's CUDA text needs to be C++ of this machine: the prelude's operations, CUDA's names, and a walk over the
 * grid. The text itself is the one that goes to the GPU. Compile with -ffp-contract=off. */
#ifndef KEYRNG_HOST
#define KEYRNG_HOST
#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>

#define __device__
#define __global__
#define __forceinline__ inline

struct dim3 {
    unsigned x, y, z;
};
static dim3 gridDim = {1, 1, 1}, blockDim = {1, 1, 1}, blockIdx, threadIdx;

static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
static inline int __clzll(long long a) { return a ? __builtin_clzll((unsigned long long)a) : 64; }

template <class To, class From> static inline To same_bits(From a) {
    static_assert(sizeof(To) == sizeof(From), "");
    To r;
    memcpy(&r, &a, sizeof r);
    return r;
}

#define FLOAT_FUNCTIONS(real, word, F, U)                                                                              \
    static inline real f_add(real a, real b) { return a + b; }                                                         \
    static inline real f_sub(real a, real b) { return a - b; }                                                         \
    static inline real f_mul(real a, real b) { return a * b; }                                                         \
    static inline real f_div(real a, real b) { return a / b; }                                                         \
    static inline real f_sqrt(real a) { return std::sqrt(a); }                                                         \
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
FLOAT_FUNCTIONS(float, unsigned, float32, uint32)
FLOAT_FUNCTIONS(double, unsigned long long, float64, uint64)
static inline float float32_from(double a) { return (float)a; }
static inline double float64_from(float a) { return (double)a; }

/* As cuLaunchKernel: a pointer to each argument. Every thread of the grid, one after the other. */
template <class... A, size_t... I>
static void walk(void (*kernel)(A...), unsigned grid, unsigned block, void **arguments, std::index_sequence<I...>) {
    gridDim.x = grid, blockDim.x = block;
    for (blockIdx.x = 0; blockIdx.x < grid; blockIdx.x++)
        for (threadIdx.x = 0; threadIdx.x < block; threadIdx.x++) kernel(*(A *)arguments[I]...);
}
template <class... A> static void launch(void (*kernel)(A...), unsigned grid, unsigned block, void **arguments) {
    walk(kernel, grid, block, arguments, std::index_sequence_for<A...>());
}
#define LAUNCHER(name)                                                                                                 \
    extern "C" void launch_##name(unsigned grid, unsigned block, void **arguments) {                                   \
        launch(keyrng::name, grid, block, arguments);                                                                  \
    }
#endif
