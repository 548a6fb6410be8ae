/* Requirements for parameters that are arrays, and their check. */
typedef struct {
    int kind; /* 0: unchecked, 1: a number of the closed interval, 2: a whole number of it */
    double low, high;
} interval;

struct rules {
    int itemsize, count;
    interval intervals[MOST_INPUTS];
    const stage *relation; /* between the parameters, or NULL */
};

/* Whether one of n elements of some parameters breaks a rule; `memory` holds a chunk. */
static int broken(const isa_code *isa, const rules *r, const void *const *in, size_t n, void *memory) {
    const void *related[MOST_INPUTS];
    for (int i = 0; i < r->count; i++) {
        const interval *x = &r->intervals[i];
        if (x->kind && !isa->inside[r->itemsize == 8](in[i], n, x->low, x->high, x->kind > 1)) return 1;
    }
    if (!r->relation) return 0;
    for (int i = 0; r->relation->inputs[i] >= 0; i++) related[i] = in[r->relation->inputs[i]];
    isa->maps[r->relation->map](n, related, &memory);
    return memchr(memory, 0, n) != NULL;
}
