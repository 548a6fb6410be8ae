/* Running a plan over a range of elements: words into buffers, straight lines over them, loops for what was rejected. */
#include <stdlib.h>

#include "code.h"
#include "mode.h"

#define CHUNK 2048      /* elements at a time: some six buffers of it fit a level-1 cache */
#define PAD 64          /* buffers hold whole groups of vectors */
#define FEW 128         /* of fewer values a key, several keys go side by side */
#define MOST_WORDS 16   /* of an attempt, rounded up to whole blocks */
#define MOST_DIMS 64
#define AHEAD 8192      /* bytes that words written straight to the output are prefetched ahead: 0.56 -> 0.42 ns a word */

typedef struct {
    const char *data;
    int64_t strides[MOST_DIMS]; /* in bytes, by dimension of the result */
    enum { ONE, WHOLE, STRIDED } shape;
} parameter;

typedef struct {
    const plan *plan;
    const algorithm_info *algorithm;
    const algorithm_code *code;
    const isa_code *isa;
    map_fn store; /* NULL: the result is stored as it is */
    int out_size;
    const char *words; /* of all keys */
    size_t keys;
    uint64_t start, count, size;
    const uint64_t *starts; /* a start for each key; NULL: one for all */
    char *out;
    int dims;
    int64_t shape[MOST_DIMS];
    parameter parameters[MOST_INPUTS];
} job;

/* The keys and indices of the lanes of a chunk: one key and consecutive indices, or columns, a row a lane. */
typedef struct {
    int each;                   /* a key for each lane? */
    size_t n;
    uint64_t first;             /* one key: index of the first lane */
    char *key[MOST_KEYS][4];    /* a pointer to each word, or each column, of each key of the plan */
    uint64_t *index;            /* each: of every lane, unless there is one value a key */
} lanes;

typedef struct {
    const job *job;
    size_t capacity;
    char *buffers[2 * MOST_INPUTS];
    lanes lanes;
    char *low, *high, *rows[MOST_WORDS]; /* columns for counters and blocks */
    int row_count;
    uint64_t filled; /* the index that all of low and high hold; UINT64_MAX if they hold several */
    char *columns[4 + MOST_INPUTS];      /* columns of the live lanes of a loop: keys, arguments */
    uint32_t *live, *keep;
    uint8_t *accept;
    char *value, *arena;
    size_t key_at; /* one key: whose children are in lanes.key */
} work;

static void put_word(char *column, size_t i, uint64_t word, int bytes) {
    if (bytes == 4) ((uint32_t *)column)[i] = (uint32_t)word;
    else ((uint64_t *)column)[i] = word;
}

static void put_index(const algorithm_info *a, char *low, char *high, size_t i, uint64_t index) {
    put_word(low, i, index, a->word_bytes);
    put_word(high, i, a->word_bytes == 4 ? index >> 32 : 0, a->word_bytes);
}

/* The words of many indices plus an offset; plain loops, which the compiler makes vector loops. */
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

/* The words of consecutive keys, a column for each. */
static void put_keys(const algorithm_info *a, const isa_code *isa, char *const *columns, const char *words, size_t n) {
    size_t step = (size_t)a->key_words;
    if (a->word_bytes == 4 && step == 2) {
        isa->pairs((const uint32_t *)words, n, (uint32_t *)columns[0], (uint32_t *)columns[1]);
        return;
    }
    for (size_t k = 0; k < step; k++)
        for (size_t i = 0; i < n; i++)
            memcpy(columns[k] + i * (size_t)a->word_bytes, words + (i * step + k) * (size_t)a->word_bytes,
                   (size_t)a->word_bytes);
}

/* Every lane at the same index: columns that are often there already. */
static void put_one_index(work *w, uint64_t index) {
    if (w->filled == index) return;
    for (size_t i = 0; i < w->capacity; i++) put_index(w->job->algorithm, w->low, w->high, i, index);
    w->filled = index;
}

/* Values `start` to `start + n` of the direct draw of one key, to memory that need not be padded. */
static void direct(const algorithm_info *a, const algorithm_code *code, fill_fn fill, size_t value, size_t block,
                   const void *key, uint64_t start, size_t n, uint64_t domain, char *out, const char *ahead) {
    char group[1024];
    size_t per = block / value, bytes = n * value, skip = (size_t)(start % per) * value;
    uint64_t first = start / per;
    while (bytes) {
        /* A fill counts in one word, so it must not run over the end of 32 bits. */
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

static uint64_t start_of(const job *j, size_t key) { return j->starts ? j->starts[key] : j->start; }

/* Whether every lane is at the index `start`: one value a key, the usual case of many keys. */
static int at_one_index(const job *j) { return j->count == 1 && !j->starts; }

static uint64_t lane_index(const work *w, size_t i) {
    return !w->lanes.each ? w->lanes.first + i : at_one_index(w->job) ? w->job->start : w->lanes.index[i];
}

/* The same for lanes with keys of their own, or whose words do not follow each other: a block each, and of each block
 * the value wanted. */
static void direct_each(work *w, int key, int bits, uint64_t step, uint64_t offset, char *out) {
    const job *j = w->job;
    const algorithm_info *a = j->algorithm;
    int each = w->lanes.each;
    size_t per = a->jax_layout ? 1 : (size_t)(a->word_bytes * a->block_words * 8 / bits);
    if (each && at_one_index(j)) {
        put_one_index(w, (j->start * step + offset) / per);
    } else {
        w->filled = UINT64_MAX;
        if (each && per == 1 && step == 1)
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

/* Children and folded keys of all lanes (or of the one key): blocks at one index, its first words to `to`. */
static void derive_keys(work *w, size_t n, char *const *from, uint64_t index, uint64_t draw, uint64_t domain,
                        char *const *to) {
    const job *j = w->job;
    const algorithm_info *a = j->algorithm;
    int each = w->lanes.each;
    void *rows[4]; /* the last ones: the first may hold an attempt's words */
    put_one_index(w, index);
    for (int i = 0; i < a->block_words; i++) rows[i] = w->rows[w->row_count - 4 + i];
    block_lanes(j, each)(n, (const void *const *)from, w->low, w->high, draw, domain, rows);
    for (int i = 0; i < a->key_words; i++) memcpy(to[i], rows[i], n * (size_t)a->word_bytes);
}

static void derive_plan_keys(work *w) {
    const plan *p = w->job->plan;
    for (int k = 1; k < p->keys; k++)
        derive_keys(w, w->lanes.each ? w->lanes.n : 1, w->lanes.key[p->parents[k]], (uint64_t)p->children[k], 0, 1,
                    w->lanes.key[k]);
}

static void compress(char *column, const uint32_t *keep, size_t n, int bytes) {
    if (bytes == 4)
        for (size_t i = 0; i < n; i++) ((uint32_t *)column)[i] = ((uint32_t *)column)[keep[i]];
    else
        for (size_t i = 0; i < n; i++) ((uint64_t *)column)[i] = ((uint64_t *)column)[keep[i]];
}

/* Attempts for all lanes, then for those rejected, until none is left. */
static void loop(work *w, const stage *s) {
    const job *j = w->job;
    const algorithm_info *a = j->algorithm;
    int each = w->lanes.each, size = j->plan->sizes[s->outputs[0]], arguments = 0;
    size_t n = w->lanes.n;
    size_t per = (size_t)(a->word_bytes * a->block_words * 8 / s->bits), blocks = ((size_t)s->words + per - 1) / per;
    lanes_fn fn = (s->bits == 32 ? j->code->lanes32 : j->code->lanes64)[each];
    char *key[4];
    const void *in[MOST_WORDS + MOST_INPUTS];
    char *out = w->buffers[s->outputs[0]];
    uint64_t draw = 1, epoch = a->jax_layout ? 256 : UINT64_MAX;

    for (int i = 0; i < a->key_words; i++) {
        key[i] = w->columns[i];
        memcpy(key[i], w->lanes.key[s->key][i], (size_t)a->word_bytes * (each ? n : 1));
    }
    for (; s->inputs[arguments] >= 0; arguments++) in[s->words + arguments] = w->buffers[s->inputs[arguments]];
    for (int i = 0; i < s->words; i++) in[i] = w->rows[i];
    for (size_t i = 0; i < n; i++) w->live[i] = (uint32_t)i;

    for (int first = 1; n; first = 0) {
        for (size_t b = 0; b < blocks; b++, draw++) {
            if (draw % epoch == 0) derive_keys(w, each ? n : 1, key, (1ull << 56) - 1, 255, 0, key);
            if (each && at_one_index(j)) {
                put_one_index(w, j->start);
            } else {
                w->filled = UINT64_MAX;
                for (size_t i = 0; i < n; i++)
                    put_index(a, w->low, w->high, i, each ? w->lanes.index[w->live[i]] : w->lanes.first + w->live[i]);
            }
            char *aside[MOST_WORDS];
            for (size_t i = 0; i < per; i++) aside[i] = w->rows[b * per + i];
            fn(n, (const void *const *)key, w->low, w->high, draw % epoch, 0, (void *const *)aside);
        }
        /* The first time the values go straight to their place; later to the lanes that are left. */
        void *results[2] = {w->accept, first ? out : w->value};
        j->isa->maps[s->map](n, in, results);
        size_t left = 0;
        for (size_t i = 0; i < n; i++) {
            w->keep[left] = (uint32_t)i;
            left += !w->accept[i];
        }
        if (!first && size == 4)
            for (size_t i = 0; i < n; i++) ((uint32_t *)out)[w->live[i]] = ((uint32_t *)w->value)[i];
        if (!first && size == 8)
            for (size_t i = 0; i < n; i++) ((uint64_t *)out)[w->live[i]] = ((uint64_t *)w->value)[i];
        if (first)
            for (int i = 0; i < arguments && left; i++) {
                char *copy = w->columns[4 + i];
                memcpy(copy, in[s->words + i], n * (size_t)j->plan->sizes[s->inputs[i]]);
                in[s->words + i] = copy;
            }
        compress((char *)w->live, w->keep, left, 4);
        for (int i = 0; i < arguments && left; i++)
            compress(w->columns[4 + i], w->keep, left, j->plan->sizes[s->inputs[i]]);
        for (int i = 0; each && i < a->key_words; i++) compress(key[i], w->keep, left, a->word_bytes);
        n = left;
    }
}

/* The values of a parameter for flat positions `first` on. */
static void gather(const job *j, const parameter *p, size_t first, size_t n, int size, char *out) {
    if (p->shape == WHOLE) {
        memcpy(out, p->data + first * (size_t)size, n * (size_t)size);
        return;
    }
    int last = j->dims - 1;
    int64_t at[MOST_DIMS];
    const char *base = p->data;
    size_t rest = first;
    for (int d = last; d >= 0; d--) {
        at[d] = (int64_t)(rest % (size_t)j->shape[d]);
        rest /= (size_t)j->shape[d];
        if (d < last) base += at[d] * p->strides[d];
    }
    for (size_t i = 0; i < n;) {
        for (; at[last] < j->shape[last] && i < n; at[last]++, i++)
            memcpy(out + i * (size_t)size, base + at[last] * p->strides[last], (size_t)size);
        at[last] = 0;
        for (int d = last - 1; d >= 0 && i < n; d--) {
            base += p->strides[d];
            if (++at[d] < j->shape[d]) break;
            base -= at[d] * p->strides[d];
            at[d] = 0;
        }
    }
}

static void run_chunk(work *w, size_t flat) {
    const job *j = w->job;
    const plan *p = j->plan;
    size_t n = w->lanes.n;
    int size = p->output_size;
    char *target = j->out + flat * (size_t)j->out_size, *own = w->buffers[p->output];
    int direct_out = !j->store && n % PAD == 0;
    if (direct_out) w->buffers[p->output] = target;
    for (int i = 0; i < p->parameters; i++)
        if (j->parameters[i].shape != ONE)
            gather(j, &j->parameters[i], flat, n, p->itemsize, w->buffers[i]);
    for (const stage *s = stages + p->first_stage, *end = s + p->stages; s < end; s++) {
        if (s->kind == STAGE_WORDS) {
            uint64_t offset = (uint64_t)s->plane * j->size + (uint64_t)s->place;
            char *out = w->buffers[s->outputs[0]];
            size_t value = (size_t)s->bits / 8;
            if (w->lanes.each || s->step > 1) direct_each(w, s->key, s->bits, (uint64_t)s->step, offset, out);
            else
                direct(j->algorithm, j->code, s->bits == 32 ? j->code->values32 : j->code->values64, value,
                       j->algorithm->jax_layout ? value
                                                : (size_t)(j->algorithm->word_bytes * j->algorithm->block_words),
                       w->lanes.key[s->key][0], w->lanes.first + offset, n, 0, out,
                       out == target                         ? target + AHEAD
                       : direct_out && value == (size_t)size ? target
                                                             : NULL);
        } else if (s->kind == STAGE_MAP) {
            const void *in[2 * MOST_INPUTS];
            void *out[MOST_INPUTS];
            for (int i = 0; s->inputs[i] >= 0; i++) in[i] = w->buffers[s->inputs[i]];
            for (int i = 0; s->outputs[i] >= 0; i++) out[i] = w->buffers[s->outputs[i]];
            j->isa->maps[s->map](n, in, out);
        } else {
            loop(w, s);
        }
    }
    if (j->store) {
        const void *in[1] = {w->buffers[p->output]};
        void *out[1] = {w->value};
        j->store(n, in, out);
        memcpy(target, w->value, n * (size_t)j->out_size);
    } else if (!direct_out) {
        memcpy(target, w->buffers[p->output], n * (size_t)size);
    }
    w->buffers[p->output] = own;
}

/* One key for the chunk: its words stay in place, those of its children are made when the key changes. */
static void take_key(work *w, size_t key) {
    const job *j = w->job;
    const algorithm_info *a = j->algorithm;
    if (w->key_at == key) return;
    w->key_at = key;
    for (int i = 0; i < a->key_words; i++)
        memcpy(w->lanes.key[0][i], j->words + (key * (size_t)a->key_words + (size_t)i) * (size_t)a->word_bytes,
               (size_t)a->word_bytes);
    derive_plan_keys(w);
}

/* A key for each lane: columns of words and indices. */
static void take_keys(work *w, size_t flat) {
    const job *j = w->job;
    const algorithm_info *a = j->algorithm;
    size_t key = flat / j->count;
    uint64_t at = flat % j->count;
    if (j->count == 1) {
        if (j->starts) memcpy(w->lanes.index, j->starts + key, 8 * w->lanes.n);
        put_keys(a, j->isa, w->lanes.key[0], j->words + key * (size_t)(a->key_words * a->word_bytes), w->lanes.n);
        derive_plan_keys(w);
        return;
    }
    for (size_t i = 0; i < w->lanes.n; i++) {
        w->lanes.index[i] = start_of(j, key) + at;
        for (int k = 0; k < a->key_words; k++) {
            size_t word = key * (size_t)a->key_words + (size_t)k;
            if (a->word_bytes == 4) ((uint32_t *)w->lanes.key[0][k])[i] = ((const uint32_t *)j->words)[word];
            else ((uint64_t *)w->lanes.key[0][k])[i] = ((const uint64_t *)j->words)[word];
        }
        if (++at == j->count) at = 0, key++;
    }
    derive_plan_keys(w);
}

static char *carve(char **arena, size_t bytes) {
    char *p = *arena;
    *arena += (bytes + 63) / 64 * 64;
    return p;
}

/* Elements `first` to `stop` of a job, counted flat, key after key. Returns -1 if there was no memory. */
static int execute(const job *j, size_t first, size_t stop) {
    const plan *p = j->plan;
    int loops = 0, rows = 0;
    for (int i = 0; i < p->stages; i++) {
        loops |= stages[p->first_stage + i].kind == STAGE_LOOP;
        rows |= stages[p->first_stage + i].step > 1;
    }
    int each = j->keys > 1 && j->count < FEW;
    work w = {.job = j, .key_at = SIZE_MAX, .filled = UINT64_MAX};
    size_t n = stop - first;
    w.capacity = n < CHUNK ? (n + PAD - 1) / PAD * PAD : CHUNK;
    size_t column = w.capacity * 8;
    w.row_count = loops || rows || each ? MOST_WORDS : 4;
    size_t columns = (size_t)(p->buffers + w.row_count) + 3 + (loops ? 4 + MOST_INPUTS + 3 : 0) +
                     (each ? 4 * (size_t)p->keys + 1 : (size_t)p->keys);
    char small[24576], *memory = small;
    size_t need = columns * column + 64;
    if (need > sizeof small) memory = malloc(need);
    if (!memory) return -1;
    char *arena = (char *)(((uintptr_t)memory + 63) / 64 * 64);

    for (int i = 0; i < p->buffers; i++) w.buffers[i] = carve(&arena, column);
    w.low = carve(&arena, column), w.high = carve(&arena, column), w.value = carve(&arena, column);
    for (int i = 0; i < w.row_count; i++) w.rows[i] = carve(&arena, column);
    if (loops) {
        for (int i = 0; i < 4 + MOST_INPUTS; i++) w.columns[i] = carve(&arena, column);
        w.live = (uint32_t *)carve(&arena, column), w.keep = (uint32_t *)carve(&arena, column);
        w.accept = (uint8_t *)carve(&arena, column);
    }
    if (each) w.lanes.index = (uint64_t *)carve(&arena, column);
    for (int k = 0; k < p->keys; k++) {
        char *one = each ? NULL : carve(&arena, column);
        for (int i = 0; i < 4; i++)
            w.lanes.key[k][i] = each ? carve(&arena, column) : one + i * j->algorithm->word_bytes;
    }
    for (int i = 0; i < p->parameters; i++)
        if (j->parameters[i].shape == ONE)
            for (size_t e = 0; e < w.capacity; e++)
                memcpy(w.buffers[i] + e * (size_t)p->itemsize, j->parameters[i].data, (size_t)p->itemsize);

    w.lanes.each = each;
    mode caller = mode_enter();
    for (size_t flat = first; flat < stop; flat += w.lanes.n) {
        size_t at = flat % j->count, left = stop - flat;
        w.lanes.n = left < w.capacity ? left : w.capacity;
        if (each) {
            take_keys(&w, flat);
        } else {
            if (w.lanes.n > j->count - at) w.lanes.n = j->count - at;
            w.lanes.first = start_of(j, flat / j->count) + at;
            take_key(&w, flat / j->count);
        }
        run_chunk(&w, flat);
    }
    mode_leave(caller);
    if (memory != small) free(memory);
    return 0;
}
