/* Compiled once per instruction set, with -DKEYRNG_ISA=name: all generated functions and their tables. */
#include "code.h"
#include "vector.h"

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#endif

#include "functions.inc"
#include "count.h"
#include "sort.h"
#include "rows.h"
#include "first.h"

/* In this file, so that the compiler uses the shuffles of this instruction set. */
static void pairs(const uint32_t *restrict from, size_t n, uint32_t *restrict first, uint32_t *restrict second) {
    for (size_t i = 0; i < n; i++) first[i] = from[2 * i], second[i] = from[2 * i + 1];
}

/* Write the numbers of the lanes whose flag is `wanted`, in order, and return how many there are. */
static size_t places(const uint8_t *restrict flags, uint8_t wanted, size_t n, uint32_t *restrict numbers) {
    size_t count = 0, i = 0;
#if defined(VECTOR_BYTES) && VECTOR_BYTES == 64
    /* Compressed in a register, because stores of some lanes are slow on Zen 4. */
    __m512i lanes = (__m512i)iota_uint32_w32();
    for (; i + 16 <= n; i += 16, lanes = _mm512_add_epi32(lanes, _mm512_set1_epi32(16))) {
        __m128i flag = _mm_loadu_si128((const __m128i *)(flags + i));
        __mmask16 found = _mm_cmpeq_epi8_mask(flag, _mm_set1_epi8((char)wanted));
        _mm512_storeu_si512(numbers + count, _mm512_maskz_compress_epi32(found, lanes));
        count += (size_t)__builtin_popcount(found);
    }
#endif
    for (; i < n; i++) {
        numbers[count] = (uint32_t)i;
        count += flags[i] == wanted;
    }
    return count;
}

/* Copy the lanes whose flag is `wanted` side by side. Stores are of whole vectors: 0.1 instead of 0.5 ns per lane. */
#if defined(VECTOR_BYTES) && VECTOR_BYTES == 64
#define TAKE_VECTORS(bits, lanes, load)                                                                                \
    for (; i + lanes <= n; i += lanes) {                                                                               \
        __mmask##lanes found = (__mmask##lanes)_mm_cmpeq_epi8_mask(load((const __m128i *)(flags + i)),                 \
                                                                   _mm_set1_epi8((char)wanted));                       \
        _mm512_storeu_si512(out + count, _mm512_maskz_compress_epi##bits(found, _mm512_loadu_si512(in + i)));          \
        count += (size_t)__builtin_popcount(found);                                                                    \
    }
#else
#define TAKE_VECTORS(bits, lanes, load)
#endif
#define TAKE_FUNCTION(bits, lanes, load)                                                                               \
    static void take_uint##bits(const uint8_t *restrict flags, uint8_t wanted, size_t n, const void *from, void *to) { \
        uint##bits##_t *out = to;                                                                                      \
        const uint##bits##_t *in = from;                                                                               \
        size_t count = 0, i = 0;                                                                                       \
        TAKE_VECTORS(bits, lanes, load)                                                                                \
        for (; i < n; i++) out[count] = in[i], count += flags[i] == wanted;                                            \
    }
TAKE_FUNCTION(32, 16, _mm_loadu_si128)
TAKE_FUNCTION(64, 8, _mm_loadl_epi64)

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
const isa_code TABLE(KEYRNG_ISA) = {STRING(KEYRNG_ISA), maps, algorithms, pairs, count, sort, places,
                                    {take_uint32, take_uint64}, first_places,
                                    {affine_float32, affine_float64}, {shares_float32, shares_float64},
                                    {inside_float32, inside_float64}};
