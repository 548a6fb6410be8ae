/* The stages of a program, but for words: maps and their tails, rejection loops, counts, and parts of a chunk. */
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

/* The words of a stage, of so many bits. */
static void draw_words(work *w, const stage *s, int bits, char *out, const char *ahead) {
    const job *j = w->job;
    uint64_t offset = (uint64_t)s->plane * j->size + (uint64_t)s->place;
    if (w->lanes.each || s->step > 1 || few_lanes(j->algorithm, j->code, w->lanes.n))
        direct_each(w, s->key, bits, (uint64_t)s->step, offset, out);
    else
        draw_values(j->algorithm, j->code, bits, w->lanes.key[s->key][0], w->lanes.first + offset, w->lanes.n, out, ahead);
}

/* The first halves of words of 64 bits. */
static void draw_halves(work *w, const stage *s, char *out, const char *ahead) {
    const job *j = w->job;
    size_t n = w->lanes.n;
    uint64_t offset = (uint64_t)s->plane * j->size + (uint64_t)s->place;
    if (j->code->halves && !w->lanes.each && s->step == 1) {
        direct(j->algorithm, j->code, j->code->halves, 4, 4, w->lanes.key[s->key][0], w->lanes.first + offset, n, 0, out, ahead);
        return;
    }
    draw_words(w, s, 64, w->value, NULL);
    for (size_t i = 0; i < n; i++) ((uint32_t *)out)[i] = (uint32_t)(((const uint64_t *)w->value)[i] >> 32);
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
    if (!w->constants) w->sizes[number] = sums_of(w, s, in + 1, w->sums[number]);
    counting of = {w->sums[number], w->sizes[number], 0, 8};
    w->job->isa->count(&of, in[0], w->n, out[0]);
}

/* Begin the stages of a method. They compute only the lanes that need the method, whose inputs are copied side by side;
 * in vectors of all lanes, every lane would cost the time of every method. Returns this stage, or the last stage of the
 * method if no lane needs it. */
static const stage *begin_part(work *w, const stage *s) {
    const isa_code *isa = w->job->isa;
    const uint8_t *flags = (const uint8_t *)w->buffers[s->inputs[0]], wanted = (uint8_t)s->wanted;
    w->n = isa->places(flags, wanted, w->lanes.n, w->part_memory);
    if (w->n < w->lanes.n) w->part = w->part_memory;
    for (int i = 0; s->outputs[i] >= 0 && w->n; i++) {
        int wide = w->job->program->sizes[s->outputs[i]] == 8;
        isa->take[wide](flags, wanted, w->lanes.n, w->buffers[s->inputs[i + 1]], w->buffers[s->outputs[i]]);
    }
    while (!w->n && s->kind != STAGE_WHOLE) s++;
    return s;
}

static void end_part(work *w, const stage *s) {
    int result = s->outputs[0];
    spread(w->buffers[s->inputs[0]], w->part_memory, w->n, w->job->program->sizes[result], w->buffers[result]);
    w->n = w->lanes.n, w->part = NULL;
}
