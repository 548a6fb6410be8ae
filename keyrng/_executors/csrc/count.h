/* Counts of the thresholds below numbers, by comparisons of several vectors with one threshold after the other; part of
 * isa.c. A search would branch at random. */
#define ABREAST 4
#define GROUP (ABREAST * LANES_w64)

static inline void count_group(const counting *of, int strict, const double *x, int64_t *out) {
    float64_w64 values[ABREAST];
    int64_w64 counts[ABREAST];
    for (int v = 0; v < ABREAST; v++) {
        values[v] = load_float64_w64(x, (size_t)(v * LANES_w64));
        counts[v] = SPLAT(int64_w64, 0);
    }
    for (size_t k = 0; k < of->size; k++) {
        float64_w64 threshold = SPLAT(float64_w64, of->thresholds[k]);
        going_mask_w64 passed[ABREAST];
        for (int v = 0; v < ABREAST; v++) {
            passed[v] = strict ? below_w64(threshold, values[v]) : at_most_w64(threshold, values[v]);
            counts[v] = tally_w64(counts[v], passed[v]);
        }
        if (!any_going_mask_w64(passed[0] | passed[1] | passed[2] | passed[3])) break;
    }
    for (int v = 0; v < ABREAST; v++) store_int64_w64(out, (size_t)(v * LANES_w64), counts[v]);
}

static void count(const counting *of, const double *x, size_t n, void *out) {
    double last[GROUP] = {0};
    int64_t counts[GROUP];
    for (size_t i = 0; i < n; i += GROUP) {
        size_t some = n - i < GROUP ? n - i : GROUP;
        const double *from = x + i;
        if (some < GROUP) memcpy(last, from, some * sizeof *last), from = last;
        if (of->strict) count_group(of, 1, from, counts);
        else count_group(of, 0, from, counts);
        if (of->bytes == 8) memcpy((int64_t *)out + i, counts, some * sizeof *counts);
        else
            for (size_t k = 0; k < some; k++) ((int32_t *)out)[i + k] = (int32_t)counts[k];
    }
}
