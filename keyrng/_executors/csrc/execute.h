/* Run a program on a range of elements, chunk by chunk: keys, parameters, stages and the result. */
#include <stdlib.h>

#include "fpenv.h"
#include "stages.h"
#include "rules.h"

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

/* Returns 1 if a parameter breaks a rule of the job. */
static int run_chunk(work *w, size_t flat) {
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
    if (j->rules && broken(j->isa, j->rules, (const void *const *)w->buffers, n, w->value)) return 1;
    int counts = 0;
    w->n = n, w->part = NULL;
    for (const stage *s = stages + p->first_stage, *end = s + p->stages; s < end; s++) {
        if (s->only && (s->only == NUMBERS) != w->numbers) continue;
        if (s->kind == STAGE_WORDS) {
            char *out = w->buffers[s->outputs[0]];
            const char *ahead = whole && s->bits / 8 >= j->out_size ? target : NULL;
            if (s->half) draw_halves(w, s, out, ahead);
            else draw_words(w, s, s->bits, out, out == target ? target + AHEAD : ahead);
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
    return 0;
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

/* Write n lanes, `count` for each number from the first on, of which `at` are left out: number + lane * step. Stores are of
 * groups of eight where they fit, because the next lanes overwrite what is too much. */
#define PUT_RUNS(type)                                                                                                 \
    static void put_runs_##type(type *to, const type *from, size_t apart, type step, uint64_t at, uint64_t count,      \
                                size_t n) {                                                                            \
        for (size_t run; n; to += run, n -= run, from += apart, at = 0) {                                              \
            type first = *from + (type)at * step;                                                                      \
            run = count - at < n ? (size_t)(count - at) : n;                                                           \
            size_t i = 0;                                                                                              \
            for (; i < run && i + 8 <= n; i += 8)                                                                      \
                for (size_t k = i; k < i + 8; k++) to[k] = first + (type)k * step;                                     \
            for (; i < run; i++) to[i] = first + (type)i * step;                                                       \
        }                                                                                                              \
    }
PUT_RUNS(uint32_t)
PUT_RUNS(uint64_t)

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
    put_runs_uint64_t(w->lanes.index, j->starts ? j->starts + key : &j->start, j->starts != NULL, 1, at, j->count, w->lanes.n);
    for (size_t k = 0, apart = (size_t)a->key_words, word = key * apart; k < apart; k++, word++)
        if (a->word_bytes == 4)
            put_runs_uint32_t((uint32_t *)w->lanes.key[0][k], (const uint32_t *)j->words + word, apart, 0, at, j->count, w->lanes.n);
        else
            put_runs_uint64_t((uint64_t *)w->lanes.key[0][k], (const uint64_t *)j->words + word, apart, 0, at, j->count, w->lanes.n);
    derive_program_keys(w);
}

static char *carve(char **arena, size_t bytes) {
    char *p = *arena;
    *arena += (bytes + 63) / 64 * 64;
    return p;
}

/* Compute elements `first` to `stop` of a job, counted over all keys in order. Returns 1 if a parameter breaks a
 * rule, and -1 if there was no memory. */
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
    int status = 0;
    for (size_t flat = first; flat < stop && !status; flat += w.lanes.n) {
        size_t at = flat % j->count, left = stop - flat;
        w.lanes.n = left < w.capacity ? left : w.capacity;
        if (each) {
            take_keys(&w, flat);
        } else {
            if (w.lanes.n > j->count - at) w.lanes.n = j->count - at;
            w.lanes.first = start_of(j, flat / j->count) + at;
            take_key(&w, flat / j->count);
        }
        status = run_chunk(&w, flat);
    }
    fpenv_leave(caller);
    if (memory != small) free(memory);
    return status;
}
