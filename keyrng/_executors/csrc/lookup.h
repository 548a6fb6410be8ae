/* Tables of float64. Part of vector.h. */

/* Four columns of a table of 16 rows, at the rows of an index below 16. Only AVX-512 has a permutation of so many; GCC
 * moves all of them to the first, and spills, unless AFTER keeps them behind what is computed between. */
#if defined(VECTOR_BYTES) && defined(__x86_64__)
#define AFTER(latest) __asm__ volatile("" : "+v"(latest))
#elif defined(VECTOR_BYTES) && defined(__aarch64__)
#define AFTER(latest) __asm__ volatile("" : "+w"(latest))
#else
#define AFTER(latest) (void)0
#endif
#if defined(VECTOR_BYTES) && VECTOR_BYTES == 64
#define TABLES_BY_COLUMN
#define COLUMN(k)                                                                                                      \
    ((float64_w64)_mm512_permutex2var_pd(_mm512_loadu_pd(table + 16 * (k)), (__m512i)index,                            \
                                         _mm512_loadu_pd(table + 16 * (k) + 8)))
#elif defined(VECTOR_BYTES) && VECTOR_BYTES == 32
/* Two numbers of two rows; insertions from memory leave the ports of shuffles free. */
#define HALVES(i, j, k)                                                                                                \
    _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(row[i] + (k))), _mm_loadu_pd(row[j] + (k)), 1)
#endif
static inline void lookup_float64_w64(const e_float64 *table, uint64_w64 index, float64_w64 *a, float64_w64 *b,
                                      float64_w64 *c, float64_w64 *d) {
#if defined(VECTOR_BYTES) && VECTOR_BYTES == 64
    *a = COLUMN(0), *b = COLUMN(1), *c = COLUMN(2), *d = COLUMN(3);
#elif defined(VECTOR_BYTES) && VECTOR_BYTES == 32
    const e_float64 *row[4];
    for (int i = 0; i < 4; i++) row[i] = table + 4 * index[i];
    __m256d even = HALVES(0, 2, 0), odd = HALVES(1, 3, 0);
    *a = (float64_w64)_mm256_unpacklo_pd(even, odd), *b = (float64_w64)_mm256_unpackhi_pd(even, odd);
    even = HALVES(0, 2, 2), odd = HALVES(1, 3, 2);
    *c = (float64_w64)_mm256_unpacklo_pd(even, odd), *d = (float64_w64)_mm256_unpackhi_pd(even, odd);
#else
    float64_w64 *const out[4] = {a, b, c, d};
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < LANES_w64; i++) ((e_float64 *)out[k])[i] = table[4 * AT(uint64, index) + (unsigned)k];
#endif
}
