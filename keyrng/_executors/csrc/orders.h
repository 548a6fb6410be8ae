/* Random orders for Python: elements sorted by words of 32 bits, stably. Part of module.c; sort.h has the sort.
 *
 * Few elements are sorted at once. More are first scattered to buckets by the leading bits of their words. The buckets
 * have equal room, because the words are uniform; should one overflow, the caller sorts by another method.
 */
#define SORT_PICOSECONDS 4000 /* of an element */
#define MOST_SORTED 65533 /* elements of a bucket: counts of 16 bits, to which sums_before adds 6 - NEAR */

/* Sort the places of a line, or 0, 1, ..., by words to `to`, which may be `places`; `space` has LINE_SPACE(n) bytes. */
#define LINE_SPACE(n) (8 * (n) + SORT_SPACE(n))
static void sort_line(const uint32_t *words, const uint32_t *places, size_t n, uint64_t *space, uint32_t *to) {
    uint32_t size = (uint32_t)n;
    if (places)
        for (size_t i = 0; i < n; i++) space[i] = (uint64_t)words[i] << 32 | places[i];
    else
        for (size_t i = 0; i < n; i++) space[i] = (uint64_t)words[i] << 32 | i;
    sort_runs line = {.elements = space, .sizes = &size, .runs = 1};
    chosen->sort(&line, n, 0, space + n, to);
}

/* The order of one key: in each round the second child of the key gives the words, and the first is the next key. */
static void order_of(const algorithm_info *a, const algorithm_code *code, const char *key, int rounds, size_t total,
                     uint64_t *space, uint32_t *to) {
    size_t bytes = (size_t)a->word_bytes;
    char rows[4][VECTOR], low[VECTOR], high[VECTOR], next[32], own[32];
    const void *words[4], *drawing[4];
    void *row[4];
    uint32_t *drawn = (uint32_t *)(space + LINE_SPACE(total) / 8);
    put_range(a, low, high, 0, bytes == 4 ? VECTOR / 4 : VECTOR / 8);
    memcpy(next, key, bytes * (size_t)a->key_words);
    for (int i = 0; i < 4; i++) words[i] = next + (size_t)i * bytes, drawing[i] = own + (size_t)i * bytes, row[i] = rows[i];
    for (int r = 0; r < rounds; r++) {
        (bytes == 4 ? code->lanes32 : code->lanes64)[0](2, words, low, high, 0, 1, row);
        for (size_t i = 0; i < (size_t)a->key_words; i++) {
            memcpy(next + i * bytes, rows[i], bytes);
            memcpy(own + i * bytes, rows[i] + bytes, bytes);
        }
        if (few_lanes(a, code, total)) code->lanes_values32[0](total, drawing, low, high, 0, 0, (void *[]){drawn});
        else draw_values(a, code, 32, own, 0, total, (char *)drawn, NULL);
        sort_line(drawn, r ? to : NULL, total, space, to);
    }
}

#define SHORT_ORDER 32768 /* elements that are sorted at once, in 1.2 MB; LINE of sorting.py */

/* As few rounds as make (2**32 - 1)**rounds reach total**3, for up to SHORT_ORDER elements. */
static int short_rounds(size_t total) { return total < 2 ? 0 : total < 1626 ? 1 : 2; }

typedef struct {
    const algorithm_info *info;
    const algorithm_code *code;
    const char *words;
    size_t total;
    uint32_t *out;
} short_order;

/* The orders of some keys, of equal length. */
static int put_orders(const void *of, size_t first, size_t stop) {
    const short_order *s = of;
    uint64_t small[1024], *space = small;
    size_t need = LINE_SPACE(s->total) + 4 * s->total + VECTOR, bytes = (size_t)(s->info->key_words * s->info->word_bytes);
    if (need > sizeof small) space = malloc(need);
    if (!space) return -1;
    for (; first < stop; first++)
        order_of(s->info, s->code, s->words + first * bytes, short_rounds(s->total), s->total, space, s->out + first * s->total);
    if (space != small) free(space);
    return 0;
}

static int put_order(long number, const char *words, size_t total, uint32_t *out) {
    return put_orders(&(short_order){&algorithm_infos[number], &chosen->algorithms[number], words, total, out}, 0, 1);
}

/* short_orders(algorithm, words, total, threads, out): the orders of all keys, of equal length */
static PyObject *short_orders(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 5) return PyErr_Format(PyExc_TypeError, "short_orders takes 5 arguments");
    long number = PyLong_AsLong(args[0]), threads = PyLong_AsLong(args[3]);
    size_t total = PyLong_AsSize_t(args[2]);
    if (PyErr_Occurred()) return NULL;
    const algorithm_info *a = &algorithm_infos[number];
    PyObject *const arrays[] = {args[1], args[4]};
    Py_buffer views[2];
    if (take_all(arrays, views, 2, 2)) return release_all(views, 2, NULL);
    size_t keys = (size_t)views[0].len / (size_t)(a->key_words * a->word_bytes);
    if (total > SHORT_ORDER || (size_t)views[1].len != 4 * keys * total)
        return release_all(views, 2, wrong_size("short_orders"));
    short_order s = {a, &chosen->algorithms[number], views[0].buf, total, views[1].buf};
    int failed = run_ranges(put_orders, &s, keys, 1, SORT_PICOSECONDS * total, (int)threads);
    return release_all(views, 2, failed ? NULL : Py_NewRef(Py_None));
}

typedef struct {
    const uint32_t *words, *places;
    size_t size;
    uint32_t *out;
} lines;

static int put_sorted_lines(const void *of, size_t first, size_t stop) {
    const lines *l = of;
    uint64_t *space = malloc(LINE_SPACE(l->size));
    if (!space) return -1;
    for (size_t at = first * l->size; at < stop * l->size; at += l->size)
        sort_line(l->words + at, l->places ? l->places + at : NULL, l->size, space, l->out + at);
    free(space);
    return 0;
}

/* sort_lines(words, places, size, threads, out): the places of all lines, None for 0, 1, ..., by words */
static PyObject *sort_lines(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 5) return PyErr_Format(PyExc_TypeError, "sort_lines takes 5 arguments");
    size_t size = PyLong_AsSize_t(args[2]);
    long threads = PyLong_AsLong(args[3]);
    if (PyErr_Occurred()) return NULL;
    PyObject *const arrays[] = {args[0], args[4], args[1]};
    Py_buffer views[3];
    int count = args[1] == Py_None ? 2 : 3;
    if (take_all(arrays, views, count, 2)) return release_all(views, count, NULL);
    int fits = size >= 1 && size <= MOST_SORTED && views[0].len == views[1].len && (count < 3 || views[2].len == views[1].len);
    if (!fits) return release_all(views, count, wrong_size("sort_lines"));
    lines l = {views[0].buf, count == 3 ? views[2].buf : NULL, size, views[1].buf};
    int failed = run_ranges(put_sorted_lines, &l, (size_t)views[0].len / 4 / size, 1, SORT_PICOSECONDS * size, (int)threads);
    return release_all(views, count, failed ? NULL : Py_NewRef(Py_None));
}

/* Sizes of a part's buckets, and a gap: threads must not write to one cache line. */
#define ROW_OF_SIZES(buckets) ((buckets) + 32)

/* Returns 0 if a bucket is full. */
static int put_in_buckets(const uint32_t *words, const uint32_t *places, size_t first, size_t n, int shift, size_t room,
                          uint64_t *buckets, uint32_t *sizes) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bucket = words[i] >> shift, size = sizes[bucket];
        if (size == room) return 0;
        buckets[bucket * room + size] = (uint64_t)words[i] << 32 | (places ? places[i] : (uint32_t)(first + i));
        sizes[bucket] = size + 1;
    }
    return 1;
}

typedef struct {
    const algorithm_info *info; /* of the key whose words are scattered, or NULL for given words */
    const algorithm_code *code;
    const void *source;
    const uint32_t *places;
    size_t total, part, slice, room; /* of each part, one slice after the other */
    int shift;
    uint64_t *buckets;
    uint32_t *sizes;
} scattering;

#define SLICE (1 << 21) /* elements of a part between two checks for Ctrl-C, a multiple of CHUNK */

/* Add the elements of a slice of some parts to the buckets of the part, by the leading bits of their words. Returns 1 if
 * one is full. */
static int put_scattered(const void *of, size_t first, size_t stop) {
    const scattering *s = of;
    size_t count = (size_t)1 << (32 - s->shift);
    uint32_t drawn[CHUNK];
    for (size_t part = first; part < stop; part++) {
        uint32_t *sizes = s->sizes + part * ROW_OF_SIZES(count);
        uint64_t *buckets = s->buckets + part * count * s->room;
        size_t at = part * s->part + s->slice * SLICE, end = part * s->part + s->part, n;
        if (end > s->total) end = s->total;
        if (end > at + SLICE) end = at + SLICE;
        for (; at < end; at += n) {
            n = end - at < CHUNK ? end - at : CHUNK;
            const uint32_t *words = s->info ? drawn : (const uint32_t *)s->source + at;
            if (s->info) draw_values(s->info, s->code, 32, s->source, at, n, (char *)drawn, NULL);
            if (!put_in_buckets(words, s->places ? s->places + at : NULL, at, n, s->shift, s->room, buckets, sizes)) return 1;
        }
    }
    return 0;
}

/* scatter(algorithm, source, places, total, part, room, threads, buckets, sizes): scatter each `part` elements to
 * separate buckets, places None for 0, 1, ...; False if one is full. The source is a key, or the words if the algorithm
 * is -1. */
static PyObject *scatter(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 9) return PyErr_Format(PyExc_TypeError, "scatter takes 9 arguments");
    long number = PyLong_AsLong(args[0]), threads = PyLong_AsLong(args[6]);
    size_t total = PyLong_AsSize_t(args[3]), part = PyLong_AsSize_t(args[4]), room = PyLong_AsSize_t(args[5]);
    if (PyErr_Occurred()) return NULL;
    const algorithm_info *a = number < 0 ? NULL : &algorithm_infos[number];
    PyObject *const arrays[] = {args[1], args[7], args[8], args[2]};
    Py_buffer views[4];
    int count = args[2] == Py_None ? 3 : 4, shift = 32;
    if (take_all(arrays, views, count, 6)) return release_all(views, count, NULL);
    size_t source = a ? (size_t)(a->key_words * a->word_bytes) : 4 * total, parts = (total + part - 1) / part;
    size_t buckets = (size_t)views[1].len / 8 / parts / room;
    while ((size_t)1 << (32 - shift) < buckets) shift--;
    if (shift < 2 || shift > 31 || buckets != (size_t)1 << (32 - shift) || (size_t)views[0].len != source ||
        (size_t)views[1].len != 8 * parts * buckets * room || (size_t)views[2].len != 4 * parts * ROW_OF_SIZES(buckets) ||
        (count == 4 && (size_t)views[3].len != 4 * total))
        return release_all(views, count, wrong_size("scatter"));
    scattering s = {a, a ? &chosen->algorithms[number] : NULL, views[0].buf, count == 4 ? views[3].buf : NULL, total,
                    part, 0, room, shift, views[1].buf, views[2].buf};
    int status = 0;
    for (; s.slice * SLICE < part && !status; s.slice++) {
        status = run_ranges(put_scattered, &s, parts, 1, SORT_PICOSECONDS * (part < SLICE ? part : SLICE), (int)threads);
        if (!status) status = PyErr_CheckSignals();
    }
    return release_all(views, count, status < 0 ? NULL : PyBool_FromLong(!status));
}

typedef struct {
    const uint64_t *buckets;
    const uint32_t *sizes;
    size_t runs, room, count;
    int known;
    uint32_t *out;
} filled;

/* Sort some buckets to where those before them end. */
static int put_sorted_buckets(const void *of, size_t first, size_t stop) {
    const filled *f = of;
    uint32_t *out = f->out;
    void *space = malloc(SORT_SPACE(f->runs * f->room));
    if (!space) return -1;
    for (size_t b = 0; b < stop; b++) {
        sort_runs from = {f->buckets + b * f->room, f->count * f->room, f->sizes + b, ROW_OF_SIZES(f->count), f->runs};
        size_t size = 0;
        for (size_t r = 0; r < f->runs; r++) size += f->sizes[r * ROW_OF_SIZES(f->count) + b];
        if (b >= first) chosen->sort(&from, size, f->known, space, out);
        out += size;
    }
    free(space);
    return 0;
}

/* sort_buckets(buckets, sizes, runs, room, threads, out): sort buckets, each of which several scatters filled */
static PyObject *sort_buckets(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 6) return PyErr_Format(PyExc_TypeError, "sort_buckets takes 6 arguments");
    size_t runs = PyLong_AsSize_t(args[2]), room = PyLong_AsSize_t(args[3]);
    long threads = PyLong_AsLong(args[4]);
    if (PyErr_Occurred()) return NULL;
    PyObject *const arrays[] = {args[0], args[1], args[5]};
    Py_buffer views[3];
    if (take_all(arrays, views, 3, 4)) return release_all(views, 3, NULL);
    size_t buckets = (size_t)views[0].len / 8 / runs / room, total = 0;
    const uint32_t *sizes = views[1].buf;
    if ((size_t)views[1].len != 4 * runs * ROW_OF_SIZES(buckets)) return release_all(views, 3, wrong_size("sort_buckets"));
    int known = 0;
    while ((size_t)1 << known < buckets) known++;
    for (size_t i = 0; i < runs * ROW_OF_SIZES(buckets); i++) total += sizes[i];
    if (known > 30 || runs * room > MOST_SORTED || (size_t)views[2].len != 4 * total)
        return release_all(views, 3, wrong_size("sort_buckets"));
    filled f = {views[0].buf, sizes, runs, room, buckets, known, views[2].buf};
    int failed = run_ranges(put_sorted_buckets, &f, buckets, 1, SORT_PICOSECONDS * (total / buckets + 1), (int)threads);
    return release_all(views, 3, failed ? NULL : Py_NewRef(Py_None));
}

/* select_words(words, first, shift, table, out_words, out_places): words whose leading bits have an entry in a table of
 * uint16, and their places, counted from `first`. The entry, less 1, replaces the leading bits. Returns how many. */
static PyObject *select_words(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 6) return PyErr_Format(PyExc_TypeError, "select_words takes 6 arguments");
    uint64_t first = PyLong_AsUnsignedLongLong(args[1]);
    long shift = PyLong_AsLong(args[2]);
    if (PyErr_Occurred()) return NULL;
    PyObject *const arrays[] = {args[0], args[3], args[4], args[5]};
    Py_buffer views[4];
    if (take_all(arrays, views, 4, 12)) return release_all(views, 4, NULL);
    if (shift < 1 || shift > 31 || (uint64_t)views[1].len < (uint64_t)2 << (32 - shift) ||
        views[2].len < views[0].len || views[3].len < views[0].len)
        return release_all(views, 4, wrong_size("select_words"));
    const uint32_t *words = views[0].buf, rest = ((uint32_t)1 << shift) - 1;
    const uint16_t *table = views[1].buf;
    uint32_t *found = views[2].buf, *places = views[3].buf;
    size_t total = (size_t)views[0].len / 4, k = 0;
    PyThreadState *state = PyEval_SaveThread();
    for (size_t i = 0; i < total; i++) {
        uint32_t entry = table[words[i] >> shift];
        found[k] = (entry - 1) << shift | (words[i] & rest);
        places[k] = (uint32_t)(first + i);
        k += entry != 0;
    }
    PyEval_RestoreThread(state);
    return release_all(views, 4, PyLong_FromSize_t(k));
}

typedef struct {
    const char *from;
    size_t size;
    const uint32_t *places;
    char *to;
} gathering;

#define GATHER(type)                                                                                                   \
    for (size_t i = first; i < stop; i++) ((type *)g->to)[i] = ((const type *)g->from)[g->places[i]];                  \
    break;

static int take_places(const void *of, size_t first, size_t stop) {
    const gathering *g = of;
    switch (g->size) {
    case 1: GATHER(uint8_t)
    case 2: GATHER(uint16_t)
    case 4: GATHER(uint32_t)
    case 8: GATHER(uint64_t)
    default:
        for (size_t i = first; i < stop; i++) memcpy(g->to + i * g->size, g->from + g->places[i] * g->size, g->size);
    }
    return 0;
}

/* take_elements(array, itemsize, places, threads, out): the elements at all places */
static PyObject *take_elements(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 5) return PyErr_Format(PyExc_TypeError, "take_elements takes 5 arguments");
    size_t size = PyLong_AsSize_t(args[1]);
    long threads = PyLong_AsLong(args[3]);
    if (PyErr_Occurred()) return NULL;
    PyObject *const arrays[] = {args[0], args[2], args[4]};
    Py_buffer views[3];
    if (take_all(arrays, views, 3, 4)) return release_all(views, 3, NULL);
    size_t count = (size_t)views[1].len / 4;
    if ((size_t)views[2].len != size * count) return release_all(views, 3, wrong_size("take_elements"));
    gathering g = {views[0].buf, size, views[1].buf, views[2].buf};
    int failed = run_ranges(take_places, &g, count, GIL_WORTH, 2000, (int)threads);
    return release_all(views, 3, failed ? NULL : Py_NewRef(Py_None));
}

/* A job that writes how many thresholds, in ascending order, are below each value of a program, which is float64. The last
 * threshold is the program's parameter. The values are compared while they are in the fastest cache. */
static void count_parts(job *j, const counting *of, int program, int algorithm, const char *words, size_t count, int32_t *out) {
    one_key(j, program, -1, algorithm, words, count, (char *)out, sizeof *out);
    j->below = of;
    j->parameters[0].data = (const char *)(of->thresholds + of->size - 1), j->parameters[0].shape = ONE;
}

/* count_below(program, algorithm, words, keys, count, threads, thresholds, out): see count_parts */
static PyObject *count_below(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 8) return PyErr_Format(PyExc_TypeError, "count_below takes 8 arguments");
    int program = (int)PyLong_AsLong(args[0]), algorithm = (int)PyLong_AsLong(args[1]);
    size_t keys = PyLong_AsSize_t(args[3]), count = PyLong_AsSize_t(args[4]);
    long threads = PyLong_AsLong(args[5]);
    if (PyErr_Occurred()) return NULL;
    PyObject *const arrays[] = {args[2], args[6], args[7]};
    const algorithm_info *a = &algorithm_infos[algorithm];
    Py_buffer views[3];
    if (take_all(arrays, views, 3, 4)) return release_all(views, 3, NULL);
    counting of = {views[1].buf, (size_t)views[1].len / sizeof(double), 1, 4};
    if (!of.size || (size_t)views[2].len != 4 * keys * count ||
        (size_t)views[0].len != keys * (size_t)(a->key_words * a->word_bytes))
        return release_all(views, 3, wrong_size("count_below"));
    job j;
    count_parts(&j, &of, program, algorithm, views[0].buf, count, views[2].buf);
    j.keys = keys;
    int failed = run_ranges(execute, &j, keys * count, CHUNK, draw_time(&j, 20 * of.size), (int)threads);
    return release_all(views, 3, failed ? NULL : Py_NewRef(Py_None));
}
