/* Compiled once per instruction set, with -DKEYRNG_ISA=name: all generated functions and their tables. */
#include "code.h"
#include "vector.h"

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#endif

#include "functions.inc"
#include "collect.h"
#include "count.h"
#include "sort.h"
#include "rows.h"
#include "first.h"

/* In this file, so that the compiler uses the shuffles of this instruction set. */
static void pairs(const uint32_t *restrict from, size_t n, uint32_t *restrict first, uint32_t *restrict second) {
    for (size_t i = 0; i < n; i++) first[i] = from[2 * i], second[i] = from[2 * i + 1];
}

/* Whether all numbers are in a closed interval, and whole; floats from `integers` on have no digits after the point.
 * The compiler vectorizes counts, not tests. */
#define INSIDE_FUNCTION(type, word, integers)                                                                          \
    static int inside_##type(const void *numbers, size_t n, double least, double most, int whole) {                    \
        const e_##type *x = numbers, low = (e_##type)least, high = (e_##type)most;                                     \
        e_##word inside = 0, fractions = 0;                                                                            \
        for (size_t i = 0; i < n; i++) inside += (x[i] >= low) & (x[i] <= high);                                       \
        for (size_t i = 0; i < n && whole; i++) {                                                                      \
            e_##type size = x[i] < 0 ? -x[i] : x[i];                                                                   \
            fractions += (size < integers) & (size + integers - integers != size);                                     \
        }                                                                                                              \
        return inside == n && !fractions;                                                                              \
    }
INSIDE_FUNCTION(float32, uint32, 0x1p23f)
INSIDE_FUNCTION(float64, uint64, 0x1p52)

#define PASTE(a, b) a##b
#define TABLE(isa) PASTE(keyrng_code_, isa)
#define STRING_(x) #x
#define STRING(x) STRING_(x)

extern const isa_code TABLE(KEYRNG_ISA);
#ifdef VECTOR_BYTES
#define SLOWER (64 / VECTOR_BYTES)
#else
#define SLOWER 8
#endif
const isa_code TABLE(KEYRNG_ISA) = {STRING(KEYRNG_ISA), SLOWER, maps, algorithms, pairs, count, sort, places,
                                    {take_uint32, take_uint64}, first_places,
                                    {affine_float32, affine_float64}, {shares_float32, shares_float64},
                                    {inside_float32, inside_float64}};
