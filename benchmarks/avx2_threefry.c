/* A reference for speed: uniform float32 of threefry2x32-20 in JAX's layout, written by hand for AVX2.
 *
 * Element i is the block at counter (i >> 32, i): its two words are xored and the upper 23 bits are the fraction. Eight
 * blocks per register, and REGISTERS of them in parallel (-DREGISTERS=), because a block is a chain of dependent
 * operations. Rotations by 16 and 24 move whole bytes: one shuffle instead of two shifts and an or.
 * handwritten.py compiles this file and checks its values.
 */
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#ifndef REGISTERS
#define REGISTERS 4
#endif
#define EACH for (int j = 0; j < REGISTERS; j++)
#define ADD(a, b) _mm256_add_epi32(a, b)
#define SPLAT(x) _mm256_set1_epi32((int)(x))
#define SHIFTED(x, r) _mm256_or_si256(_mm256_slli_epi32(x, r), _mm256_srli_epi32(x, 32 - r))
#define SHUFFLED(x, r) _mm256_shuffle_epi8(x, by##r)

#define ROUND(ROTATED, r)                                                                                              \
    EACH x0[j] = ADD(x0[j], x1[j]);                                                                                    \
    EACH x1[j] = ROTATED(x1[j], r);                                                                                    \
    EACH x1[j] = _mm256_xor_si256(x1[j], x0[j]);
#define INJECT(a, b)                                                                                                   \
    EACH x0[j] = ADD(x0[j], a);                                                                                        \
    EACH x1[j] = ADD(x1[j], b);
#define FOUR_ROUNDS ROUND(SHIFTED, 13) ROUND(SHIFTED, 15) ROUND(SHIFTED, 26) ROUND(SHIFTED, 6)
#define OTHER_FOUR ROUND(SHIFTED, 17) ROUND(SHIFTED, 29) ROUND(SHUFFLED, 16) ROUND(SHUFFLED, 24)

/* Elements 0 to n, at most 2**32, of one key; out has room for whole groups of 8 * REGISTERS. */
void uniform(uint32_t key0, uint32_t key1, size_t n, float *out) {
    const __m256i k0 = SPLAT(key0), k1 = SPLAT(key1), k2 = SPLAT(key0 ^ key1 ^ 0x1BD11BDAu);
    const __m256i k2_1 = ADD(k2, SPLAT(1)), k0_2 = ADD(k0, SPLAT(2)), k1_3 = ADD(k1, SPLAT(3)),
                  k2_4 = ADD(k2, SPLAT(4)), k0_5 = ADD(k0, SPLAT(5));
    const __m256i by16 = _mm256_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13, 2, 3, 0, 1, 6, 7, 4, 5,
                                          10, 11, 8, 9, 14, 15, 12, 13);
    const __m256i by24 = _mm256_setr_epi8(1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12, 1, 2, 3, 0, 5, 6, 7, 4,
                                          9, 10, 11, 8, 13, 14, 15, 12);
    const __m256i exponent = SPLAT(0x3f800000);
    const __m256 one = _mm256_set1_ps(1.0f);
    __m256i index = ADD(k1, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)); /* the counter's low word, its key added */
    for (size_t i = 0; i < n; i += 8 * REGISTERS) {
        __m256i x0[REGISTERS], x1[REGISTERS];
        EACH x0[j] = k0;
        EACH x1[j] = ADD(index, SPLAT(8 * j));
        index = ADD(index, SPLAT(8 * REGISTERS));
        FOUR_ROUNDS INJECT(k1, k2_1)
        OTHER_FOUR INJECT(k2, k0_2)
        FOUR_ROUNDS INJECT(k0, k1_3)
        OTHER_FOUR INJECT(k1, k2_4)
        FOUR_ROUNDS INJECT(k2, k0_5)
        EACH {
            __m256i bits = _mm256_srli_epi32(_mm256_xor_si256(x0[j], x1[j]), 9);
            __m256 x = _mm256_sub_ps(_mm256_castsi256_ps(_mm256_or_si256(bits, exponent)), one);
            _mm256_storeu_ps(out + i + 8 * j, x);
        }
    }
}
