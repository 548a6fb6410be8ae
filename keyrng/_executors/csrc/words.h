/* A job, the lanes of one chunk of it, and their keys, indices and words. */
#ifndef KEYRNG_WORDS_H
#define KEYRNG_WORDS_H

#include <stdlib.h>

#include "code.h"

#define CHUNK 2048      /* elements per chunk: about six buffers fit in the L1 cache */
#define VECTOR 64       /* bytes, at most: functions of lanes read and write whole vectors */
#define PAD 64          /* buffers are multiples of this, to hold whole vectors */
#define FEW 128         /* with fewer values per key, a chunk has a key per lane */
#define MOST_WORDS 16   /* per attempt, rounded up to whole blocks */
#define MOST_DIMS 64
#define MOST_COUNTS 2
#define MOST_TERMS 1024 /* of a count, as in keyrng/kernels/counting.py */
#define AHEAD 8192      /* prefetch distance in bytes for words written to the output: 0.56 -> 0.42 ns/word */

typedef struct {
    const char *data;
    int64_t strides[MOST_DIMS]; /* in bytes, by dimension of the result */
    enum { ONE, WHOLE, STRIDED } shape;
} parameter;

typedef struct rules rules; /* see rules.h */

typedef struct {
    const program *program;
    const algorithm_info *algorithm;
    const algorithm_code *code;
    const isa_code *isa;
    map_fn store; /* NULL: no conversion */
    const counting *below; /* NULL, or what of the result, float64, is counted and written instead of it */
    const rules *rules; /* of the parameters, or NULL if they have been checked */
    int out_size;
    const char *words; /* of all keys */
    size_t keys;
    uint64_t start, count, size;
    const uint64_t *starts; /* one per key, or NULL for `start` */
    char *out;
    int dims;
    int64_t shape[MOST_DIMS];
    parameter parameters[MOST_INPUTS];
} job;

/* Keys and indices of a chunk's lanes: one key and consecutive indices, or columns with one row per lane. */
typedef struct {
    int each;                   /* whether each lane has a key */
    size_t n;
    uint64_t first;             /* with one key: the index of the first lane */
    char *key[MOST_KEYS][4];    /* pointers to the words or columns of the program's keys */
    uint64_t *index;            /* with a key per lane, unless each key has one value */
} lanes;

typedef struct {
    const job *job;
    size_t capacity;
    char *buffers[MOST_BUFFERS], *own[MOST_BUFFERS]; /* own: of parameters that are copied */
    lanes lanes;
    char *low, *high, *rows[MOST_WORDS]; /* columns for counters and blocks */
    int row_count;
    uint64_t filled; /* the index in all rows of low and high, or UINT64_MAX */
    char *columns[4 + MOST_INPUTS];      /* keys and arguments of a loop's live lanes */
    size_t n; /* the lanes that stages compute: all, or those of a part, whose numbers in the chunk are `part` */
    uint32_t *part, *part_memory, *live, *keep; /* part is NULL for all lanes */
    uint8_t *accept;
    char *spare[MOST_TAILS + 2 * MOST_INPUTS]; /* for tails: lists of lanes, inputs and outputs */
    char *value;
    size_t key_at; /* with one key: its number; lanes.key has its children */
    int numbers, constants; /* whether all parameters are numbers, and constants of them are computed */
    double *sums[MOST_COUNTS]; /* with numbers: the thresholds of each count */
    size_t sizes[MOST_COUNTS];
} work;

static void put_word(char *column, size_t i, uint64_t word, int bytes) {
    if (bytes == 4) ((uint32_t *)column)[i] = (uint32_t)word;
    else ((uint64_t *)column)[i] = word;
}

static uint64_t word_at(const char *column, size_t i, int bytes) {
    return bytes == 4 ? ((const uint32_t *)column)[i] : ((const uint64_t *)column)[i];
}

static void put_index(const algorithm_info *a, char *low, char *high, size_t i, uint64_t index) {
    put_word(low, i, index, a->word_bytes);
    put_word(high, i, a->word_bytes == 4 ? index >> 32 : 0, a->word_bytes);
}

/* Split consecutive indices into words. */
static void put_range(const algorithm_info *a, char *low, char *high, uint64_t first, size_t n) {
    if (a->word_bytes == 4) {
        for (size_t i = 0; i < n; i++) ((uint32_t *)low)[i] = (uint32_t)(first + i);
        for (size_t i = 0; i < n; i++) ((uint32_t *)high)[i] = (uint32_t)((first + i) >> 32);
    } else {
        for (size_t i = 0; i < n; i++) ((uint64_t *)low)[i] = first + i;
        memset(high, 0, 8 * n);
    }
}

/* Split indices plus an offset into words. Separate loops, because the compiler vectorizes them. */
static void put_indices(const algorithm_info *a, char *low, char *high, const uint64_t *index, uint64_t offset,
                        size_t n) {
    if (a->word_bytes == 4) {
        for (size_t i = 0; i < n; i++) ((uint32_t *)low)[i] = (uint32_t)(index[i] + offset);
        for (size_t i = 0; i < n; i++) ((uint32_t *)high)[i] = (uint32_t)((index[i] + offset) >> 32);
    } else {
        for (size_t i = 0; i < n; i++) ((uint64_t *)low)[i] = index[i] + offset;
        memset(high, 0, 8 * n);
    }
}

/* Split the words of consecutive keys into columns. */
static void put_keys(const algorithm_info *a, const isa_code *isa, char *const *columns, const char *words, size_t n) {
    size_t step = (size_t)a->key_words;
    if (a->word_bytes == 4 && step == 2) {
        isa->pairs((const uint32_t *)words, n, (uint32_t *)columns[0], (uint32_t *)columns[1]);
        return;
    }
    for (size_t k = 0; k < step; k++)
        if (a->word_bytes == 4)
            for (size_t i = 0; i < n; i++) ((uint32_t *)columns[k])[i] = ((const uint32_t *)words)[i * step + k];
        else
            for (size_t i = 0; i < n; i++) ((uint64_t *)columns[k])[i] = ((const uint64_t *)words)[i * step + k];
}

/* Set all lanes to one index, unless they have it already. */
static void put_one_index(work *w, uint64_t index) {
    if (w->filled == index) return;
    size_t n = w->capacity;
    if (w->job->algorithm->word_bytes == 4) {
        for (size_t i = 0; i < n; i++) ((uint32_t *)w->low)[i] = (uint32_t)index;
        for (size_t i = 0; i < n; i++) ((uint32_t *)w->high)[i] = (uint32_t)(index >> 32);
    } else {
        for (size_t i = 0; i < n; i++) ((uint64_t *)w->low)[i] = index;
        memset(w->high, 0, 8 * n);
    }
    w->filled = index;
}

static size_t per_block(const algorithm_info *a, int bits) { return (size_t)(a->word_bytes * a->block_words * 8 / bits); }

/* Write values `start` to `start + n` of a key's direct draw; `out` need not be padded. */
static void direct(const algorithm_info *a, const algorithm_code *code, fill_fn fill, size_t value, size_t block,
                   const void *key, uint64_t start, size_t n, uint64_t domain, char *out, const char *ahead) {
    char group[1024];
    size_t per = block / value, bytes = n * value, skip = (size_t)(start % per) * value;
    uint64_t first = start / per;
    while (bytes) {
        /* A fill increments the low word only, so it must not cross a multiple of 2**32. */
        uint64_t room = a->word_bytes == 4 ? 0x100000000ull - (first & 0xffffffffu) : UINT64_MAX;
        size_t groups = bytes / (block * code->group);
        if (groups > room / code->group) groups = (size_t)(room / code->group);
        if (!skip && groups) {
            fill(key, first, groups, domain, out, ahead);
            first += groups * code->group;
            out += groups * code->group * block;
            bytes -= groups * code->group * block;
            continue;
        }
        size_t blocks = code->group < room ? code->group : (size_t)room, take = blocks * block - skip;
        if (take > bytes) take = bytes;
        fill(key, first, 1, domain, group, NULL);
        memcpy(out, group + skip, take);
        first += blocks;
        out += take;
        bytes -= take;
        skip = 0;
    }
}

/* Values `first` to `first + n` of a key's direct draw, of 32 or 64 bits. */
static void draw_values(const algorithm_info *a, const algorithm_code *code, int bits, const void *key, uint64_t first,
                        size_t n, char *out, const char *ahead) {
    size_t value = (size_t)bits / 8, block = a->jax_layout ? value : (size_t)(a->word_bytes * a->block_words);
    direct(a, code, bits == 32 ? code->values32 : code->values64, value, block, key, first, n, 0, out, ahead);
}

static uint64_t start_of(const job *j, size_t key) { return j->starts ? j->starts[key] : j->start; }

/* Whether every lane has the index `start`: one value per key, the usual case for arrays of keys. */
static int at_one_index(const job *j) { return j->count == 1 && !j->starts; }

static uint64_t lane_index(const work *w, size_t i) {
    return !w->lanes.each ? w->lanes.first + i : at_one_index(w->job) ? w->job->start : w->lanes.index[i];
}

/* Whether n values of a direct draw fit a vector of lanes, which takes half of the time of a group of blocks. */
static int few_lanes(const algorithm_info *a, const algorithm_code *code, size_t n) {
    return a->jax_layout && n <= code->vector;
}

/* Like `direct` for lanes with separate keys or non-consecutive words: a block per lane, of which one value is kept. */
static void direct_each(work *w, int key, int bits, uint64_t step, uint64_t offset, char *out) {
    const job *j = w->job;
    const algorithm_info *a = j->algorithm;
    int each = w->lanes.each;
    size_t per = a->jax_layout ? 1 : per_block(a, bits);
    if (each && at_one_index(j)) {
        put_one_index(w, (j->start * step + offset) / per);
    } else {
        w->filled = UINT64_MAX;
        if (!each && per == 1 && step == 1)
            put_range(a, w->low, w->high, w->lanes.first + offset, w->lanes.n);
        else if (each && per == 1 && step == 1)
            put_indices(a, w->low, w->high, w->lanes.index, offset, w->lanes.n);
        else
            for (size_t i = 0; i < w->lanes.n; i++)
                put_index(a, w->low, w->high, i, (lane_index(w, i) * step + offset) / per);
    }
    lanes_fn fn = bits == 32 ? j->code->lanes_values32[each] : j->code->lanes64[each];
    void *rows[MOST_WORDS];
    for (size_t i = 0; i < per; i++) rows[i] = per == 1 ? out : w->rows[i];
    fn(w->lanes.n, (const void *const *)w->lanes.key[key], w->low, w->high, 0, 0, rows);
    for (size_t i = 0; per > 1 && i < w->lanes.n; i++) {
        const char *row = w->rows[(lane_index(w, i) * step + offset) % per];
        if (bits == 32) ((uint32_t *)out)[i] = ((const uint32_t *)row)[i];
        else ((uint64_t *)out)[i] = ((const uint64_t *)row)[i];
    }
}

static lanes_fn block_lanes(const job *j, int each) {
    return j->algorithm->word_bytes == 4 ? j->code->lanes32[each] : j->code->lanes64[each];
}

/* Derive children or folded keys of all lanes, or of the single key: the first words of the blocks at one index. */
static void derive_keys(work *w, size_t n, char *const *from, uint64_t index, uint64_t draw, uint64_t domain,
                        char *const *to) {
    const job *j = w->job;
    const algorithm_info *a = j->algorithm;
    int each = w->lanes.each;
    void *rows[4]; /* the last rows, because the first may hold an attempt's words */
    put_one_index(w, index);
    for (int i = 0; i < a->block_words; i++) rows[i] = w->rows[w->row_count - 4 + i];
    block_lanes(j, each)(n, (const void *const *)from, w->low, w->high, draw, domain, rows);
    for (int i = 0; i < a->key_words; i++) memcpy(to[i], rows[i], n * (size_t)a->word_bytes);
}

/* Derive the keys of the program from the first one: those of a single key side by side, as many as have parents. */
static void derive_program_keys(work *w) {
    const program *p = w->job->program;
    const algorithm_info *a = w->job->algorithm;
    char **rows = w->rows + w->row_count - 4;
    int bytes = a->word_bytes;
    if (w->lanes.each)
        for (int k = 1; k < p->keys; k++)
            derive_keys(w, w->lanes.n, w->lanes.key[p->parents[k]], (uint64_t)p->children[k], 0, 1, w->lanes.key[k]);
    for (int first = 1, k = 1; first < p->keys && !w->lanes.each; first = k) {
        for (; k < p->keys && p->parents[k] < first; k++) {
            put_index(a, w->low, w->high, (size_t)(k - first), (uint64_t)p->children[k]);
            for (int i = 0; i < a->key_words; i++)
                put_word(rows[i], (size_t)(k - first), word_at(w->lanes.key[p->parents[k]][i], 0, bytes), bytes);
        }
        w->filled = UINT64_MAX;
        block_lanes(w->job, 1)((size_t)(k - first), (const void *const *)rows, w->low, w->high, 0, 1, (void *const *)rows);
        for (int j = first; j < k; j++)
            for (int i = 0; i < a->key_words; i++)
                put_word(w->lanes.key[j][i], 0, word_at(rows[i], (size_t)(j - first), bytes), bytes);
    }
}

#endif
