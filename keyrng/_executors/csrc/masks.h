/* Conditions on lanes: whether one holds for some, which these are, and counts of steps. Part of vector.h. */

/* Whether a condition holds for some lane. */
#ifdef VECTOR_BYTES
typedef int64_w64 any_register;
static inline int any_lane(any_register m) {
#if defined(__AVX512F__)
    return _mm512_test_epi32_mask((__m512i)m, (__m512i)m) != 0;
#elif defined(__AVX2__)
    return !_mm256_testz_si256((__m256i)m, (__m256i)m);
#elif defined(__SSE2__)
    return _mm_movemask_epi8((__m128i)m) != 0;
#else
    return (m[0] | m[1]) != 0;
#endif
}
static inline int any_bytes(const void *mask, size_t bytes) {
    any_register m = {0}, next;
    memcpy(&m, mask, bytes < sizeof m ? bytes : sizeof m);
    if (bytes > sizeof m) memcpy(&next, (const char *)mask + sizeof m, sizeof next), m |= next;
    return any_lane(m);
}
#define ANY_FUNCTION(bits, W)                                                                                          \
    static inline int any_mask##bits##_##W(mask##bits##_##W m) { return any_bytes(&m, sizeof m); }
#else
#define ANY_FUNCTION(bits, W)                                                                                          \
    static inline int any_mask##bits##_##W(mask##bits##_##W m) { return m != 0; }
#endif
ANY_FUNCTION(32, w32)
ANY_FUNCTION(64, w32)
ANY_FUNCTION(32, w64)
ANY_FUNCTION(64, w64)

/* Append the lanes where a condition holds, from `first`, to a list; return its new size. */
#if defined(VECTOR_BYTES) && VECTOR_BYTES == 64
static inline uint32_t list_w32(uint32_t *list, uint32_t size, size_t first, mask32_w32 m) {
    __mmask16 found = _mm512_movepi32_mask((__m512i)m);
    __m512i lanes = (__m512i)(iota_uint32_w32() + (uint32_t)first);
    _mm512_storeu_si512(list + size, _mm512_maskz_compress_epi32(found, lanes)); /* stores of some lanes are slow */
    return size + (uint32_t)__builtin_popcount(found);
}
static inline uint32_t list_w64(uint32_t *list, uint32_t size, size_t first, mask64_w64 m) {
    __mmask8 found = _mm512_movepi64_mask((__m512i)m);
    __m256i lanes = _mm256_add_epi32(_mm256_set1_epi32((int)first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    _mm256_storeu_si256((__m256i *)(list + size), _mm256_maskz_compress_epi32(found, lanes));
    return size + (uint32_t)__builtin_popcount(found);
}
#elif defined(VECTOR_BYTES) && VECTOR_BYTES == 32
/* The lanes of each set of four. */
static const uint32_t lanes_of[16][4] = {{0},       {0},       {1},       {0, 1},    {2},       {0, 2},    {1, 2},    {0, 1, 2},
                                         {3},       {0, 3},    {1, 3},    {0, 1, 3}, {2, 3},    {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3}};

static inline uint32_t list_four(uint32_t *list, uint32_t size, size_t first, unsigned found) {
    __m128i lanes = _mm_add_epi32(_mm_loadu_si128((const __m128i *)lanes_of[found]), _mm_set1_epi32((int)first));
    _mm_storeu_si128((__m128i *)(list + size), lanes);
    return size + (uint32_t)__builtin_popcount(found);
}
static inline uint32_t list_w32(uint32_t *list, uint32_t size, size_t first, mask32_w32 m) {
    unsigned found = (unsigned)_mm256_movemask_ps((__m256)m);
    size = list_four(list, size, first, found & 15);
    return list_four(list, size, first + 4, found >> 4);
}
static inline uint32_t list_w64(uint32_t *list, uint32_t size, size_t first, mask64_w64 m) {
    return list_four(list, size, first, (unsigned)_mm256_movemask_pd((__m256d)m));
}
#else
#define LIST_FUNCTION(bits, W)                                                                                         \
    static inline uint32_t list_##W(uint32_t *list, uint32_t size, size_t first, mask##bits##_##W m) {                 \
        for (int i = 0; i < LANES_##W; i++) {                                                                          \
            list[size] = (uint32_t)first + (uint32_t)i;                                                                \
            size -= (uint32_t)AT(int##bits, m);                                                                        \
        }                                                                                                              \
        return size;                                                                                                   \
    }
LIST_FUNCTION(32, w32)
LIST_FUNCTION(64, w64)
#endif

/* For count_sums: a sum counts if it is at most u, and less than the next sum. */
#define GOING_FUNCTIONS(W)                                                                                             \
    typedef mask64_##W going_mask_##W;                                                                                 \
    static inline going_mask_##W below_##W(float64_##W a, float64_##W b) { return COMPARE(mask64_##W, a < b); }        \
    static inline going_mask_##W at_most_##W(float64_##W a, float64_##W b) { return COMPARE(mask64_##W, a <= b); }     \
    static inline int any_going_mask_##W(going_mask_##W going) { return any_mask64_##W(going); }                       \
    static inline int64_##W tally_##W(int64_##W count, going_mask_##W going) { return count - going; }
GOING_FUNCTIONS(w32)
#if defined(VECTOR_BYTES) && defined(__AVX512F__)
/* GCC would convert masks of other types to vectors and back. */
typedef __mmask8 going_mask_w64;
static inline going_mask_w64 below_w64(float64_w64 a, float64_w64 b) {
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ);
}
static inline going_mask_w64 at_most_w64(float64_w64 a, float64_w64 b) {
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LE_OQ);
}
static inline int any_going_mask_w64(going_mask_w64 going) { return going != 0; }
static inline int64_w64 tally_w64(int64_w64 count, going_mask_w64 going) {
    return (int64_w64)_mm512_mask_add_epi64((__m512i)count, going, (__m512i)count, _mm512_set1_epi64(1));
}
#else
GOING_FUNCTIONS(w64)
#endif
