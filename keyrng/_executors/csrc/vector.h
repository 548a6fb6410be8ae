/* The types and macros of the generated C: vectors as wide as the processor's registers, or scalars.
 *
 * float32_w32 has as many lanes as 32-bit words fit in a register, so float64_w32 takes two registers; _w64 counts
 * 64-bit words. GCC and Clang compile these as vector extensions. On other compilers, such as MSVC, and with
 * -DKEYRNG_SCALAR (tests/strict_c.py) a lane is a scalar and everything is plain C11.
 */
#ifndef KEYRNG_VECTOR_H
#define KEYRNG_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <float.h>
#if FLT_EVAL_METHOD != 0
#error "x87 rounds twice, which changes samples; on x86 compile with -msse2 -mfpmath=sse"
#endif

#if defined(__GNUC__) && !defined(KEYRNG_SCALAR)
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#endif

typedef uint8_t e_uint8, e_bool;
typedef uint16_t e_uint16;
typedef uint32_t e_uint32;
typedef uint64_t e_uint64;
typedef int8_t e_int8;
typedef int16_t e_int16;
typedef int32_t e_int32;
typedef int64_t e_int64;
typedef float e_float32;
typedef double e_float64;

static inline e_float32 float32_of(e_uint32 bits) {
    e_float32 x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
static inline e_float64 float64_of(e_uint64 bits) {
    e_float64 x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#ifdef VECTOR_BYTES

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#define LANES_w32 (VECTOR_BYTES / 4)
#define LANES_w64 (VECTOR_BYTES / 8)
#define VECTOR_TYPES(W)                                                                                                \
    typedef e_uint8 uint8_##W __attribute__((vector_size(LANES_##W)));                                                 \
    typedef e_int8 int8_##W __attribute__((vector_size(LANES_##W)));                                                   \
    typedef e_uint16 uint16_##W __attribute__((vector_size(2 * LANES_##W)));                                           \
    typedef e_int16 int16_##W __attribute__((vector_size(2 * LANES_##W)));                                             \
    typedef e_uint32 uint32_##W __attribute__((vector_size(4 * LANES_##W)));                                           \
    typedef e_int32 int32_##W __attribute__((vector_size(4 * LANES_##W)));                                             \
    typedef e_float32 float32_##W __attribute__((vector_size(4 * LANES_##W)));                                         \
    typedef e_uint64 uint64_##W __attribute__((vector_size(8 * LANES_##W)));                                           \
    typedef e_int64 int64_##W __attribute__((vector_size(8 * LANES_##W)));                                             \
    typedef e_float64 float64_##W __attribute__((vector_size(8 * LANES_##W)));

VECTOR_TYPES(w32)
VECTOR_TYPES(w64)

/* x - 0, because x + 0 loses the sign of -0. */
#define SPLAT(type, x) ((x) - (type){0})
#define CONVERT(type, x) __builtin_convertvector((x), type)
#define BITCAST(type, from, x) ((type)(x))
#define COMPARE(mask, x) ((mask)(x))
#define SELECT(type, m, a, b) select_##type((m), (a), (b))

#else

#define LANES_w32 1
#define LANES_w64 1
#define VECTOR_TYPES(W)                                                                                                \
    typedef e_uint8 uint8_##W;                                                                                         \
    typedef e_int8 int8_##W;                                                                                           \
    typedef e_uint16 uint16_##W;                                                                                       \
    typedef e_int16 int16_##W;                                                                                         \
    typedef e_uint32 uint32_##W;                                                                                       \
    typedef e_int32 int32_##W;                                                                                         \
    typedef e_float32 float32_##W;                                                                                     \
    typedef e_uint64 uint64_##W;                                                                                       \
    typedef e_int64 int64_##W;                                                                                         \
    typedef e_float64 float64_##W;

VECTOR_TYPES(w32)
VECTOR_TYPES(w64)

#define BITCAST_FUNCTION(to, from, W)                                                                                  \
    static inline to##_##W bitcast_##to##_##W##_from_##from##_##W(from##_##W x) {                                      \
        to##_##W y;                                                                                                    \
        memcpy(&y, &x, sizeof y);                                                                                      \
        return y;                                                                                                      \
    }
#define BITCAST_FUNCTIONS(W)                                                                                           \
    BITCAST_FUNCTION(float32, uint32, W)                                                                               \
    BITCAST_FUNCTION(uint32, float32, W)                                                                               \
    BITCAST_FUNCTION(float32, int32, W)                                                                                \
    BITCAST_FUNCTION(int32, float32, W)                                                                                \
    BITCAST_FUNCTION(int32, uint32, W)                                                                                 \
    BITCAST_FUNCTION(uint32, int32, W)                                                                                 \
    BITCAST_FUNCTION(float64, uint64, W)                                                                               \
    BITCAST_FUNCTION(uint64, float64, W)                                                                               \
    BITCAST_FUNCTION(float64, int64, W)                                                                                \
    BITCAST_FUNCTION(int64, float64, W)                                                                                \
    BITCAST_FUNCTION(int64, uint64, W)                                                                                 \
    BITCAST_FUNCTION(uint64, int64, W)
BITCAST_FUNCTIONS(w32)
BITCAST_FUNCTIONS(w64)

#define SPLAT(type, x) ((type)(x))
#define CONVERT(type, x) ((type)(x))
#define BITCAST(type, from, x) bitcast_##type##_from_##from(x)
#define COMPARE(mask, x) ((mask) - (mask)(x))
#define SELECT(type, m, a, b) ((m) ? (a) : (b))
#endif

typedef int32_w32 mask32_w32;
typedef int64_w32 mask64_w32;
typedef int32_w64 mask32_w64;
typedef int64_w64 mask64_w64;

#define EACH(type, W, expression)                                                                                      \
    type##_##W r;                                                                                                      \
    e_##type *p = (e_##type *)&r;                                                                                      \
    for (int i = 0; i < LANES_##W; i++) p[i] = (expression);                                                           \
    return r;
#define AT(type, x) (((const e_##type *)&x)[i])

#ifdef VECTOR_BYTES
#define SELECT_FUNCTION(type, word, W)                                                                                 \
    static inline type##_##W select_##type##_##W(word##_##W m, type##_##W a, type##_##W b) {                           \
        return (type##_##W)((m & (word##_##W)a) | (~m & (word##_##W)b));                                               \
    }
#define SELECT_FUNCTIONS(W)                                                                                            \
    SELECT_FUNCTION(float32, int32, W)                                                                                 \
    SELECT_FUNCTION(uint32, int32, W)                                                                                  \
    SELECT_FUNCTION(int32, int32, W)                                                                                   \
    SELECT_FUNCTION(float64, int64, W)                                                                                 \
    SELECT_FUNCTION(uint64, int64, W)                                                                                  \
    SELECT_FUNCTION(int64, int64, W)
SELECT_FUNCTIONS(w32)
SELECT_FUNCTIONS(w64)
#endif

#define ROTATION(bits, W)                                                                                              \
    static inline uint##bits##_##W rotl_uint##bits##_##W(uint##bits##_##W x, int n) { return x << n | x >> (bits - n); }
ROTATION(32, w64)
ROTATION(64, w32)
#if defined(VECTOR_BYTES) && VECTOR_BYTES == 32
/* Rotations by whole bytes are one shuffle instead of three operations: a tenth of the time of Threefry's words. Tables,
 * because a loop in each rotation would take minutes to compile without optimization. */
#define BYTE(i, by, size) (((i) & (16 - (size))) | (((i) - (by)) & ((size) - 1)))
#define BYTES(i, by, size) BYTE(i, by, size), BYTE(i + 1, by, size), BYTE(i + 2, by, size), BYTE(i + 3, by, size)
#define ROTATED(by, size) {BYTES(0, by, size), BYTES(4, by, size), BYTES(8, by, size), BYTES(12, by, size)}
static const uint8_t rotated32[][16] = {ROTATED(0, 4), ROTATED(1, 4), ROTATED(2, 4), ROTATED(3, 4)};
static const uint8_t rotated64[][16] = {ROTATED(0, 8), ROTATED(1, 8), ROTATED(2, 8), ROTATED(3, 8),
                                        ROTATED(4, 8), ROTATED(5, 8), ROTATED(6, 8), ROTATED(7, 8)};
#define ROTATION_OF_BYTES(bits, W)                                                                                     \
    static inline uint##bits##_##W rotl_uint##bits##_##W(uint##bits##_##W x, int n) {                                  \
        if (n % 8) return x << n | x >> (bits - n);                                                                    \
        __m128i from = _mm_loadu_si128((const __m128i *)rotated##bits[n / 8]);                                         \
        return (uint##bits##_##W)_mm256_shuffle_epi8((__m256i)x, _mm256_broadcastsi128_si256(from));                   \
    }
ROTATION_OF_BYTES(32, w32)
ROTATION_OF_BYTES(64, w64)
#else
ROTATION(32, w32)
ROTATION(64, w64)
#endif

/* Lanes 0, 1, 2, ... */
static inline uint32_w32 iota_uint32_w32(void) { EACH(uint32, w32, (e_uint32)i) }
static inline uint64_w64 iota_uint64_w64(void) { EACH(uint64, w64, (e_uint64)i) }

#include "masks.h"

static inline float32_w32 abs_float32_w32(float32_w32 x) {
    return BITCAST(float32_w32, uint32_w32, BITCAST(uint32_w32, float32_w32, x) & 0x7fffffffu);
}
static inline float32_w64 abs_float32_w64(float32_w64 x) {
    return BITCAST(float32_w64, uint32_w64, BITCAST(uint32_w64, float32_w64, x) & 0x7fffffffu);
}
static inline float64_w64 abs_float64_w64(float64_w64 x) {
    return BITCAST(float64_w64, uint64_w64, BITCAST(uint64_w64, float64_w64, x) & 0x7fffffffffffffffull);
}

#if defined(VECTOR_BYTES) && defined(__AVX512F__)
static inline float32_w32 sqrt_float32_w32(float32_w32 x) { return (float32_w32)_mm512_sqrt_ps((__m512)x); }
static inline float64_w64 sqrt_float64_w64(float64_w64 x) { return (float64_w64)_mm512_sqrt_pd((__m512d)x); }
/* 32-bit words are multiplied to 64 bits, even and odd lanes separately, and merged with shuffles: they execute in
 * parallel with the multiplications, while shifts compete for the same port. */
#define EVEN_PRODUCTS(a, b) _mm512_mul_epu32((__m512i)(a), (__m512i)(b))
#define ODD_PRODUCTS(a, b)                                                                                             \
    _mm512_mul_epu32(_mm512_shuffle_epi32((__m512i)(a), _MM_PERM_DDBB),                                                \
                     _mm512_shuffle_epi32((__m512i)(b), _MM_PERM_DDBB))
static inline uint32_w32 mulhi_uint32_w32(uint32_w32 a, uint32_w32 b) {
    return (uint32_w32)_mm512_mask_shuffle_epi32(ODD_PRODUCTS(a, b), 0x5555, EVEN_PRODUCTS(a, b), _MM_PERM_DDBB);
}
static inline uint32_w32 mul_uint32_w32(uint32_w32 a, uint32_w32 b) {
    return (uint32_w32)_mm512_mask_shuffle_epi32(EVEN_PRODUCTS(a, b), 0xaaaa, ODD_PRODUCTS(a, b), _MM_PERM_CCAA);
}
#define MUL_LOW(a, b) ((uint64_w64)_mm512_mul_epu32((__m512i)(a), (__m512i)(b)))
#elif defined(VECTOR_BYTES) && defined(__AVX2__)
static inline float32_w32 sqrt_float32_w32(float32_w32 x) { return (float32_w32)_mm256_sqrt_ps((__m256)x); }
static inline float64_w64 sqrt_float64_w64(float64_w64 x) { return (float64_w64)_mm256_sqrt_pd((__m256d)x); }
#define EVEN_PRODUCTS(a, b) _mm256_mul_epu32((__m256i)(a), (__m256i)(b))
#define ODD_PRODUCTS(a, b)                                                                                             \
    _mm256_mul_epu32(_mm256_shuffle_epi32((__m256i)(a), 0xf5), _mm256_shuffle_epi32((__m256i)(b), 0xf5))
static inline uint32_w32 mulhi_uint32_w32(uint32_w32 a, uint32_w32 b) {
    return (uint32_w32)_mm256_blend_epi32(_mm256_shuffle_epi32(EVEN_PRODUCTS(a, b), 0xf5), ODD_PRODUCTS(a, b), 0xaa);
}
static inline uint32_w32 mul_uint32_w32(uint32_w32 a, uint32_w32 b) {
    return (uint32_w32)_mm256_blend_epi32(EVEN_PRODUCTS(a, b), _mm256_shuffle_epi32(ODD_PRODUCTS(a, b), 0xa0), 0xaa);
}
#define MUL_LOW(a, b) ((uint64_w64)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))
#elif defined(VECTOR_BYTES) && defined(__SSE2__)
static inline float32_w32 sqrt_float32_w32(float32_w32 x) { return (float32_w32)_mm_sqrt_ps((__m128)x); }
static inline float64_w64 sqrt_float64_w64(float64_w64 x) { return (float64_w64)_mm_sqrt_pd((__m128d)x); }
static inline uint32_w32 mulhi_uint32_w32(uint32_w32 a, uint32_w32 b) {
    __m128i even = _mm_srli_epi64(_mm_mul_epu32((__m128i)a, (__m128i)b), 32);
    __m128i odd = _mm_mul_epu32(_mm_srli_epi64((__m128i)a, 32), _mm_srli_epi64((__m128i)b, 32));
    return (uint32_w32)_mm_or_si128(even, _mm_and_si128(odd, _mm_set1_epi64x((long long)0xffffffff00000000ull)));
}
static inline uint32_w32 mul_uint32_w32(uint32_w32 a, uint32_w32 b) { return a * b; }
#define MUL_LOW(a, b) ((uint64_w64)_mm_mul_epu32((__m128i)(a), (__m128i)(b)))
#else
#include <math.h>
static inline float32_w32 sqrt_float32_w32(float32_w32 x) { EACH(float32, w32, sqrtf(AT(float32, x))) }
static inline float64_w64 sqrt_float64_w64(float64_w64 x) { EACH(float64, w64, sqrt(AT(float64, x))) }
static inline uint32_w32 mulhi_uint32_w32(uint32_w32 a, uint32_w32 b) {
    EACH(uint32, w32, (e_uint32)(((uint64_t)AT(uint32, a) * AT(uint32, b)) >> 32))
}
static inline uint32_w32 mul_uint32_w32(uint32_w32 a, uint32_w32 b) { return a * b; }
#define MUL_LOW(a, b) (((a) & 0xffffffffu) * ((b) & 0xffffffffu))
#endif

/* Four products of halves, because there is no vector instruction for the full product. */
static inline uint64_w64 mulhi_uint64_w64(uint64_w64 a, uint64_w64 b) {
    uint64_w64 a_high = a >> 32, b_high = b >> 32;
    uint64_w64 middle = MUL_LOW(a_high, b) + (MUL_LOW(a, b) >> 32);
    uint64_w64 carry = (middle & 0xffffffffu) + MUL_LOW(a, b_high);
    return MUL_LOW(a_high, b_high) + (middle >> 32) + (carry >> 32);
}

#include "division.h"

#define LOAD_FUNCTION(type, W)                                                                                         \
    static inline type##_##W load_##type##_##W(const void *p, size_t i) {                                              \
        type##_##W x;                                                                                                  \
        memcpy(&x, (const e_##type *)p + i, sizeof x);                                                                 \
        return x;                                                                                                      \
    }                                                                                                                  \
    static inline void store_##type##_##W(void *p, size_t i, type##_##W x) {                                           \
        memcpy((e_##type *)p + i, &x, sizeof x);                                                                       \
    }
#define LOAD_FUNCTIONS(W)                                                                                              \
    LOAD_FUNCTION(uint8, W)                                                                                            \
    LOAD_FUNCTION(int8, W)                                                                                             \
    LOAD_FUNCTION(uint16, W)                                                                                           \
    LOAD_FUNCTION(int16, W)                                                                                            \
    LOAD_FUNCTION(uint32, W)                                                                                           \
    LOAD_FUNCTION(int32, W)                                                                                            \
    LOAD_FUNCTION(float32, W)                                                                                          \
    LOAD_FUNCTION(uint64, W)                                                                                           \
    LOAD_FUNCTION(int64, W)                                                                                            \
    LOAD_FUNCTION(float64, W)                                                                                          \
    static inline mask32_##W load_mask32_##W(const void *p, size_t i) {                                                \
        return -CONVERT(mask32_##W, load_uint8_##W(p, i));                                                             \
    }
LOAD_FUNCTIONS(w32)
LOAD_FUNCTIONS(w64)

#define STORE_MASK(bits, W)                                                                                            \
    static inline void store_mask##bits##_##W(void *p, size_t i, mask##bits##_##W m) {                                 \
        store_uint8_##W(p, i, CONVERT(uint8_##W, m & 1));                                                              \
    }
STORE_MASK(32, w64)
STORE_MASK(64, w32)
#if defined(VECTOR_BYTES) && VECTOR_BYTES == 32
/* GCC would move lane by lane. */
static inline void store_mask32_w32(void *p, size_t i, mask32_w32 m) {
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128((__m256i)m), _mm256_extracti128_si256((__m256i)m, 1));
    _mm_storeu_si64((e_uint8 *)p + i, _mm_and_si128(_mm_packs_epi16(words, words), _mm_set1_epi8(1)));
}
static inline void store_mask64_w64(void *p, size_t i, mask64_w64 m) {
    uint32_t bytes = (uint32_t)_mm256_movemask_pd((__m256d)m) * 0x204081u & 0x1010101u; /* bit k to byte k */
    memcpy((e_uint8 *)p + i, &bytes, sizeof bytes);
}
#else
STORE_MASK(32, w32)
STORE_MASK(64, w64)
#endif

#include "lookup.h"

/* Prefetch memory that a later stage writes; waiting for it would take as long as computing the words. A macro, because
 * GCC removes calls of functions that only prefetch. */
#ifdef __GNUC__
#define FETCH_AHEAD(p, bytes)                                                                                          \
    for (size_t b = 0; (p) && b < (bytes); b += 64) __builtin_prefetch((p) + b, 1, 3);                                 \
    if (p) (p) += (bytes);
#else
#define FETCH_AHEAD(p, bytes) (void)(p);
#endif

/* Interleave two vectors, a0 b0 a1 b1 ...: first and second half. */
#if defined(VECTOR_BYTES) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define HAVE_SHUFFLE
#endif
#endif
#ifdef HAVE_SHUFFLE
#if VECTOR_BYTES == 64
#define INTERLEAVE_LOW_16(a, b)                                                                                        \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define INTERLEAVE_HIGH_16(a, b)                                                                                       \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#endif
#define INTERLEAVE_LOW_8(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define INTERLEAVE_HIGH_8(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define INTERLEAVE_LOW_4(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define INTERLEAVE_HIGH_4(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define INTERLEAVE_LOW_2(a, b) __builtin_shufflevector(a, b, 0, 2)
#define INTERLEAVE_HIGH_2(a, b) __builtin_shufflevector(a, b, 1, 3)
#if VECTOR_BYTES == 64
#define LOW_w32 INTERLEAVE_LOW_16
#define HIGH_w32 INTERLEAVE_HIGH_16
#define LOW_w64 INTERLEAVE_LOW_8
#define HIGH_w64 INTERLEAVE_HIGH_8
#elif VECTOR_BYTES == 32
#define LOW_w32 INTERLEAVE_LOW_8
#define HIGH_w32 INTERLEAVE_HIGH_8
#define LOW_w64 INTERLEAVE_LOW_4
#define HIGH_w64 INTERLEAVE_HIGH_4
#else
#define LOW_w32 INTERLEAVE_LOW_4
#define HIGH_w32 INTERLEAVE_HIGH_4
#define LOW_w64 INTERLEAVE_LOW_2
#define HIGH_w64 INTERLEAVE_HIGH_2
#endif
#define BLOCKS_FUNCTIONS(type, W)                                                                                      \
    static inline void store2_##type##_##W(void *p, size_t i, type##_##W a, type##_##W b) {                            \
        store_##type##_##W(p, 2 * i, LOW_##W(a, b));                                                                   \
        store_##type##_##W(p, 2 * i + LANES_##W, HIGH_##W(a, b));                                                      \
    }                                                                                                                  \
    static inline void store4_##type##_##W(void *p, size_t i, type##_##W a, type##_##W b, type##_##W c,                \
                                           type##_##W d) {                                                             \
        store2_##type##_##W(p, 2 * i, LOW_##W(a, c), LOW_##W(b, d));                                                   \
        store2_##type##_##W(p, 2 * i + LANES_##W, HIGH_##W(a, c), HIGH_##W(b, d));                                     \
    }
#else
#define BLOCKS_FUNCTIONS(type, W)                                                                                      \
    static inline void store2_##type##_##W(void *p, size_t at, type##_##W a, type##_##W b) {                           \
        e_##type *q = (e_##type *)p + 2 * at;                                                                          \
        for (int i = 0; i < LANES_##W; i++) {                                                                          \
            q[2 * i] = AT(type, a);                                                                                    \
            q[2 * i + 1] = AT(type, b);                                                                                \
        }                                                                                                              \
    }                                                                                                                  \
    static inline void store4_##type##_##W(void *p, size_t at, type##_##W a, type##_##W b, type##_##W c,               \
                                           type##_##W d) {                                                             \
        e_##type *q = (e_##type *)p + 4 * at;                                                                          \
        for (int i = 0; i < LANES_##W; i++) {                                                                          \
            q[4 * i] = AT(type, a);                                                                                    \
            q[4 * i + 1] = AT(type, b);                                                                                \
            q[4 * i + 2] = AT(type, c);                                                                                \
            q[4 * i + 3] = AT(type, d);                                                                                \
        }                                                                                                              \
    }
#endif
BLOCKS_FUNCTIONS(uint32, w32)
BLOCKS_FUNCTIONS(uint64, w64)

#endif
