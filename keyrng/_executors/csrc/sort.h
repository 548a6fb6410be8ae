/* Sorting elements by random words, one bucket at a time; part of isa.c. An element is word << 32 | place.
 *
 * The order is stable. Elements are counted by so many leading bits that most counts are 0 or 1, and moved to where the
 * counts say. Each is then within a few elements of its final position, which comparisons with its neighbours give
 * without a branch: a branch that depends on a random word costs more than all of them.
 */
#define NEAR 4 /* neighbours on either side that are compared */
#define EACH16 0x0001000100010001ull

/* Counts of 16 bits to the sums of those before, four at a time. Returns whether a count is larger than NEAR + 1. */
static int sums_before(uint16_t *counts, size_t n) {
    uint64_t before = 0, large = 0;
    for (size_t i = 0; i < n; i += 4) {
        uint64_t four, sums;
        memcpy(&four, counts + i, 8);
        large |= four + (6 - NEAR) * EACH16;
        four *= EACH16;
        sums = (four << 16) + before * EACH16;
        memcpy(counts + i, &sums, 8);
        before += four >> 48;
    }
    return (large & 0xfff8 * EACH16) != 0;
}

/* Final positions of words that are at most NEAR from them; NEAR words on either side are smallest and largest. */
static void positions(const int32_t *restrict words, ptrdiff_t n, uint32_t *restrict to) {
    for (ptrdiff_t i = 0; i < n; i++) {
        int32_t move = 0;
        for (ptrdiff_t k = 1; k <= NEAR; k++) move += (words[i + k] < words[i]) - (words[i - k] > words[i]);
        to[i] = (uint32_t)(i + move);
    }
}

static void insertion_sort(uint64_t *elements, size_t n) {
    for (size_t i = 1; i < n; i++) {
        uint64_t x = elements[i];
        size_t j = i;
        for (; j && elements[j - 1] >> 32 > x >> 32; j--) elements[j] = elements[j - 1];
        elements[j] = x;
    }
}

#define FEW_ELEMENTS 24 /* which are sorted by comparing each with all */

static void sort_few(const uint64_t *elements, size_t n, uint32_t *places) {
    uint64_t words[FEW_ELEMENTS], ranks[FEW_ELEMENTS] = {0};
    size_t size = (n + 7) / 8 * 8;
    for (size_t i = 0; i < size; i++) words[i] = i < n ? (elements[i] >> 32 << 32) + i : 0; /* distinct */
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < size; i++) ranks[i] += words[k] < words[i];
    for (size_t i = 0; i < n; i++) places[ranks[i]] = (uint32_t)elements[i];
}

/* Sort the elements of all runs, n of them, at most 65533, whose words have their first `known` bits in common, up to 30
 * bits. Only places are written. `space` is SORT_SPACE(n) bytes, aligned to 8. */
static void sort(const sort_runs *from, size_t n, int known, void *space, uint32_t *places) {
    if (n <= FEW_ELEMENTS && from->runs == 1) {
        sort_few(from->elements, n, places);
        return;
    }
    int bits = 2;
    while ((size_t)1 << bits < 2 * n && bits + known < 32) bits++;
    size_t shift = (size_t)(64 - known - bits), slots = (size_t)1 << bits;
    uint64_t *sorted = space;
    int32_t *words = (int32_t *)(sorted + n) + NEAR;
    uint32_t *to = (uint32_t *)(words + n + NEAR);
    uint16_t *counts = (uint16_t *)(to + n);

    memset(counts, 0, slots * sizeof *counts);
    for (size_t r = 0; r < from->runs; r++) {
        const uint64_t *run = from->elements + r * from->stride;
        for (size_t i = 0, size = from->sizes[r * from->sizes_stride]; i < size; i++)
            counts[run[i] >> shift & (slots - 1)]++;
    }
    int far = sums_before(counts, slots);
    for (size_t r = 0; r < from->runs; r++) {
        const uint64_t *run = from->elements + r * from->stride;
        for (size_t i = 0, size = from->sizes[r * from->sizes_stride]; i < size; i++)
            sorted[counts[run[i] >> shift & (slots - 1)]++] = run[i];
    }
    if (far) {
        insertion_sort(sorted, n);
        for (size_t i = 0; i < n; i++) places[i] = (uint32_t)sorted[i];
        return;
    }
    for (size_t i = 0; i < NEAR; i++) words[-1 - (ptrdiff_t)i] = INT32_MIN, words[n + i] = INT32_MAX;
    for (size_t i = 0; i < n; i++) words[i] = (int32_t)((uint32_t)(sorted[i] >> 32) ^ 0x80000000u);
    positions(words, (ptrdiff_t)n, to);
    for (size_t i = 0; i < n; i++) places[to[i]] = (uint32_t)sorted[i];
}
