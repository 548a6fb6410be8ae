/* Run a program on a range of elements: fill buffers with words, run the straight-line parts, loop over rejections. */
#include <stdlib.h>

#include "code.h"
#include "fpenv.h"
#include "words.h"

/* Copies of constant sizes, because parameters and results in place may not be aligned. */
static void compress(const char *from, const uint32_t *keep, size_t n, int bytes, char *to) {
    if (bytes == 4)
        for (size_t i = 0; i < n; i++) memcpy(to + 4 * i, from + 4 * (size_t)keep[i], 4);
    else
        for (size_t i = 0; i < n; i++) memcpy(to + 8 * i, from + 8 * (size_t)keep[i], 8);
}

/* The indices of listed lanes, by type, because the compiler does not move the test of the type out of a loop. */
static void put_listed(work *w, size_t n) {
    const uint32_t *live = w->live;
    const uint64_t *index = w->lanes.index, first = w->lanes.first;
    int each = w->lanes.each;
    if (w->job->algorithm->word_bytes == 4)
        for (size_t i = 0; i < n; i++) {
            uint64_t at = each ? index[live[i]] : first + live[i];
            ((uint32_t *)w->low)[i] = (uint32_t)at, ((uint32_t *)w->high)[i] = (uint32_t)(at >> 32);
        }
    else
        for (size_t i = 0; i < n; i++)
            ((uint64_t *)w->low)[i] = each ? index[live[i]] : first + live[i], ((uint64_t *)w->high)[i] = 0;
}

static void spread(const char *from, const uint32_t *lanes, size_t n, int bytes, char *to) {
    if (bytes == 1)
        for (size_t i = 0; i < n; i++) to[lanes[i]] = from[i];
    else if (bytes == 4)
        for (size_t i = 0; i < n; i++) memcpy(to + 4 * (size_t)lanes[i], from + 4 * i, 4);
    else
        for (size_t i = 0; i < n; i++) memcpy(to + 8 * (size_t)lanes[i], from + 8 * i, 8);
}

static int collects(const stage *s, size_t n) { return s->collect && n >= (size_t)s->collect; }

/* Run a map without its tails, then these for their lanes side by side: in vectors, the others would wait. */
static void run_common(work *w, const stage *s, size_t n, const void *const *in, void *const *out) {
    const isa_code *isa = w->job->isa;
    void *results[MOST_INPUTS + MOST_TAILS];
    int outputs = 0;
    for (; s->spread[outputs] >= 0; outputs++) results[outputs] = out[outputs];
    for (int i = 0; i < MOST_TAILS; i++) results[outputs + i] = w->spare[i];
    isa->maps[s->common](n, in, results);
    for (int i = 0; i < MOST_TAILS; i++) {
        const tail *t = &s->tails[i];
        const uint32_t *list = results[outputs + i];
        char **gathered = w->spare + MOST_TAILS, **again = gathered;
        if (!t->map || !list[0]) continue;
        for (int k = 0; s->gathered[k] >= 0; k++) compress(in[k], list + 1, list[0], s->gathered[k], *again++);
        isa->maps[t->map](list[0], (const void *const *)gathered, (void *const *)again);
        for (int k = 0, o; (o = t->outputs[k]) >= 0; k++) spread(again[k], list + 1, list[0], s->spread[o], out[o]);
    }
}

static void run_map(work *w, const stage *s, size_t n, const void *const *in, void *const *out) {
    if (collects(s, n)) run_common(w, s, n, in, out);
    else w->job->isa->maps[s->map](n, in, out);
}

/* The indices of the live lanes; before the first attempt all are live and not listed. */
static void put_live_indices(work *w, size_t n) {
    const algorithm_info *a = w->job->algorithm;
    if (w->lanes.each && at_one_index(w->job)) {
        put_one_index(w, w->job->start);
        return;
    }
    w->filled = UINT64_MAX;
    if (n < w->lanes.n)
        put_listed(w, n);
    else if (w->lanes.each) put_indices(a, w->low, w->high, w->lanes.index, 0, n);
    else put_range(a, w->low, w->high, w->lanes.first, n);
}

/* The blocks of an attempt. */
static size_t blocks_of(const job *j, const stage *s) {
    size_t per = per_block(j->algorithm, s->bits);
    return ((size_t)s->words + per - 1) / per;
}

/* Attempts for all lanes, then for the rejected ones, until all are accepted. */
static void loop(work *w, const stage *s) {
    const job *j = w->job;
    const algorithm_info *a = j->algorithm;
    int each = w->lanes.each, size = j->program->sizes[s->outputs[0]], arguments = 0;
    size_t n = w->n;
    size_t per = per_block(a, s->bits), blocks = blocks_of(j, s);
    lanes_fn fn = (s->bits == 32 ? j->code->lanes32 : j->code->lanes64)[each];
    char *key[4];
    const void *in[MOST_WORDS + MOST_INPUTS];
    char *out = w->buffers[s->outputs[0]];
    uint64_t draw = 1, draws_per_key = a->jax_layout ? 256 : UINT64_MAX;

    for (int i = 0; i < a->key_words; i++) {
        key[i] = w->columns[i];
        if (w->part && each) compress(w->lanes.key[s->key][i], w->part, n, a->word_bytes, key[i]);
        else memcpy(key[i], w->lanes.key[s->key][i], (size_t)a->word_bytes * (each ? n : 1));
    }
    if (w->part) memcpy(w->live, w->part, n * sizeof *w->part);
    for (; s->inputs[arguments] >= 0; arguments++) in[s->words + arguments] = w->buffers[s->inputs[arguments]];
    for (int i = 0; i < s->words; i++) in[i] = w->rows[i];

    for (int first = !w->part; n; first = 0) {
        for (size_t b = 0; b < blocks; b++, draw++) {
            int derives = draw % draws_per_key == 0;
            if (derives) derive_keys(w, each ? n : 1, key, (1ull << 56) - 1, 255, 0, key);
            if (!b || derives) put_live_indices(w, n);
            char *aside[MOST_WORDS];
            for (size_t i = 0; i < per; i++) aside[i] = w->rows[b * per + i];
            fn(n, (const void *const *)key, w->low, w->high, draw % draws_per_key, 0, (void *const *)aside);
        }
        /* The first attempt for all lanes writes results in place; others scatter them to the live lanes. */
        void *results[2] = {w->accept, first ? out : w->value};
        run_map(w, s, n, in, results);
        size_t left = j->isa->places(w->accept, 0, n, w->keep);
        if (!first) spread(w->value, w->live, n, size, out);
        for (int i = 0; i < arguments && left; i++) {
            char *column = w->columns[4 + i];
            compress(in[s->words + i], w->keep, left, j->program->sizes[s->inputs[i]], column);
            in[s->words + i] = column;
        }
        for (int i = 0; each && i < a->key_words; i++) compress(key[i], w->keep, left, a->word_bytes, key[i]);
        if (!first) compress((char *)w->live, w->keep, left, 4, (char *)w->keep);
        uint32_t *live = w->keep;
        w->keep = w->live, w->live = live;
        n = left;
    }
    if (w->part) compress(out, w->part, w->n, size, out);
}

/* The sums of a count whose terms are the same for all lanes: those that a number above all of them would pass. */
static size_t sums_of(const work *w, const stage *s, const void *const *arguments, double *sums) {
    double inputs[3][PAD] = {{0}}, next[PAD], *term = inputs[0], *k = inputs[1], *inverse = inputs[2];
    const void *in[3 + MOST_INPUTS] = {term, k, inverse};
    void *out[1] = {next};
    size_t size = 0;
    for (int i = 1; s->inputs[i + 1] >= 0; i++) in[2 + i] = arguments[i];
    double total = *term = *(const double *)arguments[0];
    for (; size < MOST_TERMS; size++) {
        *k = (double)(s->start + 1 + (int)size);
        *inverse = 1.0 / *k;
        w->job->isa->maps[s->term](1, in, out);
        *term = *next;
        if (!(total + *term > total)) break;
        sums[size] = total;
        total += *term;
    }
    return size;
}

static void count(work *w, const stage *s, int number, const void *const *in, void *const *out) {
    if (!(s->constant && w->numbers)) {
        w->job->isa->maps[s->map](w->n, in, out);
        return;
    }
    if (!w->constants) w->sizes[number] = sums_of(w, s, in + 1, w->sums[number]);
    counting of = {w->sums[number], w->sizes[number], 0, 8};
    w->job->isa->count(&of, in[0], w->n, out[0]);
}

/* Begin the stages of a method: for its lanes alone, whose inputs are put side by side. Returns the stage before the next,
 * or if there is no such lane the last one of the method. Lanes of other methods would wait in every vector. */
static const stage *begin_part(work *w, const stage *s) {
    w->n = w->job->isa->places((const uint8_t *)w->buffers[s->inputs[0]], (uint8_t)s->wanted, w->lanes.n, w->part_memory);
    if (w->n < w->lanes.n) w->part = w->part_memory;
    for (int i = 0; s->outputs[i] >= 0 && w->n; i++)
        w->job->isa->take[w->job->program->sizes[s->outputs[i]] == 8](
            (const uint8_t *)w->buffers[s->inputs[0]], (uint8_t)s->wanted, w->lanes.n, w->buffers[s->inputs[i + 1]],
            w->buffers[s->outputs[i]]);
    while (!w->n && s->kind != STAGE_WHOLE) s++;
    return s;
}

static void end_part(work *w, const stage *s) {
    const char *from = w->buffers[s->inputs[0]];
    char *to = w->buffers[s->outputs[0]]; /* maybe the result, which need not be aligned */
    if (w->job->program->sizes[s->outputs[0]] == 4)
        for (size_t i = 0; i < w->n; i++) memcpy(to + 4 * (size_t)w->part_memory[i], from + 4 * i, 4);
    else
        for (size_t i = 0; i < w->n; i++) memcpy(to + 8 * (size_t)w->part_memory[i], from + 8 * i, 8);
    w->n = w->lanes.n, w->part = NULL;
}

/* Copy values that are some bytes apart. */
static void stride(const char *from, int64_t apart, size_t n, int size, char *to) {
    if (size == 4)
        for (size_t i = 0; i < n; i++, from += apart) memcpy(to + 4 * i, from, 4);
    else
        for (size_t i = 0; i < n; i++, from += apart) memcpy(to + 8 * i, from, 8);
}

/* Copy the values of a parameter at flat positions `first` to `first + n`. */
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
        size_t run = (size_t)(j->shape[last] - at[last]);
        if (run > n - i) run = n - i;
        stride(base + at[last] * p->strides[last], p->strides[last], run, size, out + i * (size_t)size);
        i += run;
        at[last] = 0;
        for (int d = last - 1; d >= 0 && i < n; d--) {
            base += p->strides[d];
            if (++at[d] < j->shape[d]) break;
            base -= at[d] * p->strides[d];
            at[d] = 0;
        }
    }
}

/* By type, because the compiler does not vectorize copies of a size that it does not know. */
static void repeat(const char *value, int size, size_t n, char *out) {
    uint64_t wide = 0;
    memcpy(&wide, value, (size_t)size);
    if (size == 4)
        for (size_t i = 0; i < n; i++) ((uint32_t *)out)[i] = (uint32_t)wide;
    else
        for (size_t i = 0; i < n; i++) ((uint64_t *)out)[i] = wide;
}

static void run_chunk(work *w, size_t flat) {
    const job *j = w->job;
    const program *p = j->program;
    size_t n = w->lanes.n;
    int size = p->output_size;
    char *target = j->out + flat * (size_t)j->out_size, *own = w->buffers[p->output];
    int whole = n % PAD == 0; /* or else maps write past the end of the lanes */
    int direct_out = whole && !j->store && !j->below;
    if (direct_out) w->buffers[p->output] = target;
    for (int i = 0; i < p->parameters; i++) {
        const parameter *q = &j->parameters[i];
        if (q->shape == ONE) continue;
        /* In place, unless maps read past its end, or before they have read all of it, write to it. */
        int in_place = q->shape == WHOLE && whole && q->data != j->out;
        w->buffers[i] = in_place ? (char *)q->data + flat * (size_t)p->itemsize : w->own[i];
        if (!in_place) gather(j, q, flat, n, p->itemsize, w->buffers[i]);
    }
    int counts = 0;
    w->n = n, w->part = NULL;
    for (const stage *s = stages + p->first_stage, *end = s + p->stages; s < end; s++) {
        if (s->kind == STAGE_WORDS) {
            uint64_t offset = (uint64_t)s->plane * j->size + (uint64_t)s->place;
            char *out = w->buffers[s->outputs[0]];
            size_t value = (size_t)s->bits / 8;
            if (w->lanes.each || s->step > 1 || few_lanes(j->algorithm, j->code, n))
                direct_each(w, s->key, s->bits, (uint64_t)s->step, offset, out);
            else
                direct(j->algorithm, j->code, s->bits == 32 ? j->code->values32 : j->code->values64, value,
                       j->algorithm->jax_layout ? value
                                                : (size_t)(j->algorithm->word_bytes * j->algorithm->block_words),
                       w->lanes.key[s->key][0], w->lanes.first + offset, n, 0, out,
                       out == target                        ? target + AHEAD
                       : whole && value >= (size_t)j->out_size ? target
                                                             : NULL);
        } else if (s->kind == STAGE_LOOP) {
            loop(w, s);
        } else if (s->kind == STAGE_PART) {
            s = begin_part(w, s);
            if (!w->n) end_part(w, s);
        } else if (s->kind == STAGE_WHOLE) {
            end_part(w, s);
        } else {
            const void *in[MOST_INPUTS];
            void *out[MOST_INPUTS];
            for (int i = 0; s->inputs[i] >= 0; i++) in[i] = w->buffers[s->inputs[i]];
            for (int i = 0; s->outputs[i] >= 0; i++) out[i] = w->buffers[s->outputs[i]];
            if (s->kind == STAGE_COUNT) count(w, s, counts++, in, out);
            else if (!(s->constant && w->numbers)) run_map(w, s, w->n, in, out);
            else if (!w->constants) {
                j->isa->maps[s->map](1, in, out);
                for (int i = 0; s->outputs[i] >= 0; i++) repeat(out[i], p->sizes[s->outputs[i]], w->capacity, out[i]);
            }
        }
    }
    w->constants = w->numbers;
    if (j->below) {
        j->isa->count(j->below, (const double *)w->buffers[p->output], n, target);
    } else if (j->store) {
        const void *in[1] = {w->buffers[p->output]};
        void *out[1] = {whole ? target : w->value};
        j->store(n, in, out);
        if (!whole) memcpy(target, w->value, n * (size_t)j->out_size);
    } else if (!direct_out) {
        memcpy(target, w->buffers[p->output], n * (size_t)size);
    }
    w->buffers[p->output] = own;
}

/* Set the chunk's single key; derive its children if the key has changed. */
static void take_key(work *w, size_t key) {
    const job *j = w->job;
    const algorithm_info *a = j->algorithm;
    if (w->key_at == key) return;
    w->key_at = key;
    for (int i = 0; i < a->key_words; i++)
        memcpy(w->lanes.key[0][i], j->words + (key * (size_t)a->key_words + (size_t)i) * (size_t)a->word_bytes,
               (size_t)a->word_bytes);
    derive_program_keys(w);
}

/* Set one key per lane: columns of words, and indices. */
static void take_keys(work *w, size_t flat) {
    const job *j = w->job;
    const algorithm_info *a = j->algorithm;
    size_t key = flat / j->count;
    uint64_t at = flat % j->count;
    if (j->count == 1) {
        if (j->starts) memcpy(w->lanes.index, j->starts + key, 8 * w->lanes.n);
        put_keys(a, j->isa, w->lanes.key[0], j->words + key * (size_t)(a->key_words * a->word_bytes), w->lanes.n);
        derive_program_keys(w);
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
    derive_program_keys(w);
}

static char *carve(char **arena, size_t bytes) {
    char *p = *arena;
    *arena += (bytes + 63) / 64 * 64;
    return p;
}

/* Compute elements `first` to `stop` of a job, counted over all keys in order. Returns -1 if there was no memory. */
static int execute(const void *of, size_t first, size_t stop) {
    const job *j = of;
    const program *p = j->program;
    int each = j->keys > 1 && j->count < FEW, loops = 0, arguments = 0, spares = 0, counts = 0, parts = 0, numbers = 1;
    size_t n = stop - first, rows = 0; /* for the words of an attempt, or of a block */
    for (const stage *s = stages + p->first_stage, *end = s + p->stages; s < end; s++) {
        counts += s->kind == STAGE_COUNT, parts |= s->kind == STAGE_PART;
        size_t words = each || s->step > 1 ? per_block(j->algorithm, 32) : 0;
        if (s->kind == STAGE_LOOP) {
            int count = 0;
            while (s->inputs[count] >= 0) count++;
            arguments = count > arguments ? count : arguments;
            words = per_block(j->algorithm, s->bits) * blocks_of(j, s);
            loops = 1;
        }
        rows = words > rows ? words : rows;
        if (collects(s, n) && MOST_TAILS + s->columns > spares) spares = MOST_TAILS + s->columns;
    }
    work w; /* an initializer would clear 1 KB */
    w.job = j, w.key_at = SIZE_MAX, w.filled = UINT64_MAX, w.constants = 0;
    w.capacity = n < CHUNK ? (n + PAD - 1) / PAD * PAD : CHUNK;
    for (int i = 0; i < p->parameters; i++) numbers &= j->parameters[i].shape == ONE;
    w.numbers = numbers && n >= CHUNK; /* fewer elements would not share the constants often enough */
    size_t column = w.capacity * 8;
    w.row_count = (int)rows + 4;
    size_t columns = (size_t)(p->buffers + w.row_count) + 3 + (loops ? 4 + (size_t)arguments + 3 : 0) +
                     (size_t)spares + (each ? 4 * (size_t)p->keys + 1 : 0) + (w.numbers ? (size_t)counts : 0) +
                     (size_t)parts;
    char small[24576], *memory = small;
    size_t need = columns * column + 64 * (size_t)p->keys + 64;
    if (need > sizeof small) memory = malloc(need);
    if (!memory) return -1;
    char *arena = (char *)(((uintptr_t)memory + 63) / 64 * 64);

    for (int i = 0; i < p->buffers; i++) w.buffers[i] = w.own[i] = carve(&arena, column);
    w.low = carve(&arena, column), w.high = carve(&arena, column), w.value = carve(&arena, column);
    for (int i = 0; i < w.row_count; i++) w.rows[i] = carve(&arena, column);
    if (loops) {
        for (int i = 0; i < 4 + arguments; i++) w.columns[i] = carve(&arena, column);
        w.live = (uint32_t *)carve(&arena, column), w.keep = (uint32_t *)carve(&arena, column);
        w.accept = (uint8_t *)carve(&arena, column);
    }
    if (parts) w.part_memory = (uint32_t *)carve(&arena, column);
    for (int i = 0; i < spares; i++) w.spare[i] = carve(&arena, column);
    for (int i = 0; i < counts && w.numbers; i++) w.sums[i] = (double *)carve(&arena, column);
    w.lanes.index = each ? (uint64_t *)carve(&arena, column) : NULL;
    for (int k = 0; k < p->keys; k++) {
        char *one = each ? NULL : carve(&arena, 64);
        for (int i = 0; i < 4; i++)
            w.lanes.key[k][i] = each ? carve(&arena, column) : one + i * j->algorithm->word_bytes;
    }
    for (int i = 0; i < p->parameters; i++)
        if (j->parameters[i].shape == ONE) repeat(j->parameters[i].data, p->itemsize, w.capacity, w.buffers[i]);

    w.lanes.each = each;
    fpenv caller = fpenv_enter();
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
    fpenv_leave(caller);
    if (memory != small) free(memory);
    return 0;
}
