/* The smallest of some times; part of isa.c. */
#define NEVER float32_of(0x7f800000u) /* infinity */

/* The place of the smallest time of a row, and whether all others are above it times `ratio`. */
static int32_t first_of_row(const float *row, size_t size, float ratio, int *decided) {
    float first = row[0], second = NEVER;
    int32_t place = 0;
    for (size_t k = 1; k < size; k++) {
        float time = row[k], later = time > first ? time : first;
        place = time < first ? (int32_t)k : place;
        first = time < first ? time : first;
        second = later < second ? later : second;
    }
    *decided = first > 0 && second > first * ratio;
    return place;
}

#if defined(VECTOR_BYTES) && defined(__SSE2__)
#define ROWS LANES_w32 /* at a time: a row in each lane */
#if VECTOR_BYTES == 64
typedef __m512 times_of_rows;
typedef __m512d pairs_of_times;
#define MM(name) _mm512_##name
#define QUARTER(row, q) _mm_loadu_ps((row) + 4 * (q) * size)
#define QUARTERS(row)                                                                                                  \
    _mm512_insertf32x4(_mm512_insertf32x4(_mm512_insertf32x4(_mm512_castps128_ps512(QUARTER(row, 0)), QUARTER(row, 1), 1), \
                                          QUARTER(row, 2), 2), QUARTER(row, 3), 3)
#elif VECTOR_BYTES == 32
typedef __m256 times_of_rows;
typedef __m256d pairs_of_times;
#define MM(name) _mm256_##name
#define QUARTERS(row) _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row)), _mm_loadu_ps((row) + 4 * size), 1)
#else
typedef __m128 times_of_rows;
typedef __m128d pairs_of_times;
#define MM(name) _mm_##name
#define QUARTERS(row) _mm_loadu_ps(row)
#endif

/* Four columns of ROWS rows. A quarter of a register has four times of a row, and is transposed with those of the next
 * three rows. */
static inline void load_columns(const float *row, size_t size, float32_w32 *columns) {
    times_of_rows x[4];
    for (size_t i = 0; i < 4; i++) x[i] = QUARTERS(row + i * size);
    pairs_of_times a = MM(castps_pd)(MM(unpacklo_ps)(x[0], x[1])), b = MM(castps_pd)(MM(unpacklo_ps)(x[2], x[3]));
    pairs_of_times c = MM(castps_pd)(MM(unpackhi_ps)(x[0], x[1])), d = MM(castps_pd)(MM(unpackhi_ps)(x[2], x[3]));
    columns[0] = (float32_w32)MM(castpd_ps)(MM(unpacklo_pd)(a, b));
    columns[1] = (float32_w32)MM(castpd_ps)(MM(unpackhi_pd)(a, b));
    columns[2] = (float32_w32)MM(castpd_ps)(MM(unpacklo_pd)(c, d));
    columns[3] = (float32_w32)MM(castpd_ps)(MM(unpackhi_pd)(c, d));
}

static inline float32_w32 smaller(float32_w32 a, float32_w32 b) {
    return (float32_w32)MM(min_ps)((times_of_rows)a, (times_of_rows)b);
}
static inline float32_w32 larger(float32_w32 a, float32_w32 b) {
    return (float32_w32)MM(max_ps)((times_of_rows)a, (times_of_rows)b);
}

/* The places for ROWS rows of four columns or more, four columns at a time; the last four may be read twice. Returns
 * which are decided. */
static inline mask32_w32 first_of_rows(const float *row, size_t size, float ratio, int32_t *places) {
    float32_w32 least = SPLAT(float32_w32, NEVER), next = least, columns[4];
    int32_w32 place = SPLAT(int32_w32, 0);
    for (size_t k = 0; k < size; k += 4) {
        size_t at = k + 4 <= size ? k : size - 4;
        load_columns(row + at, size, columns);
        for (size_t i = 0; i < 4; i++) {
            if (at + i < k) continue;
            place = SELECT(int32_w32, columns[i] < least, SPLAT(int32_w32, (int32_t)(at + i)), place);
            next = smaller(larger(columns[i], least), next);
            least = smaller(columns[i], least);
        }
    }
    store_int32_w32(places, 0, place);
    return (mask32_w32)(next > least * ratio) & (mask32_w32)(least > 0);
}
#endif

/* For each row the place of the smallest time, and the numbers of the rows that are not decided, whose number is
 * returned: those where another time is not above the smallest times `ratio`, or the smallest is 0. */
static size_t first_places(const float *row, size_t size, size_t rows, float ratio, int32_t *places, int32_t *open) {
    size_t left = 0, i = 0;
#ifdef ROWS
    for (; size >= 4 && i + ROWS <= rows; i += ROWS) {
        mask32_w32 decided = first_of_rows(row + i * size, size, ratio, places + i);
        if (!any_mask32_w32(~decided)) continue;
        for (size_t k = 0; k < ROWS; k++)
            if (!decided[k]) open[left++] = (int32_t)(i + k);
    }
#endif
    for (; i < rows; i++) {
        int one;
        places[i] = first_of_row(row + i * size, size, ratio, &one);
        if (!one) open[left++] = (int32_t)i;
    }
    return left;
}
