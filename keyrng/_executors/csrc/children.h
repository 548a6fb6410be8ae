/* Key derivation for Python: consecutive children, one child per key, one child. Included by module.c. */

#define DERIVED 256 /* children at a time */

/* Children at indices: of one key, or of a key each. */
typedef struct {
    const algorithm_info *info;
    const algorithm_code *code;
    const char *words;
    int each;
    const uint64_t *index; /* or NULL for start, start + step, ... */
    uint64_t start, step, domain;
    char *out;
    size_t apart; /* words from a child to the next */
} derivation;

/* Write the first words of blocks, which are given by rows. */
static void put_words(const algorithm_info *a, char rows[4][8 * DERIVED], size_t n, size_t apart, char *out) {
    if (a->word_bytes == 4 && a->key_words == 2 && apart == 2) { /* half of the time of two loops */
        for (size_t i = 0; i < n; i++) {
            ((uint32_t *)out)[2 * i] = ((uint32_t *)rows[0])[i];
            ((uint32_t *)out)[2 * i + 1] = ((uint32_t *)rows[1])[i];
        }
        return;
    }
    for (size_t k = 0; k < (size_t)a->key_words; k++)
        if (a->word_bytes == 4)
            for (size_t i = 0; i < n; i++) ((uint32_t *)out)[i * apart + k] = ((uint32_t *)rows[k])[i];
        else
            for (size_t i = 0; i < n; i++) ((uint64_t *)out)[i * apart + k] = ((uint64_t *)rows[k])[i];
}

static int put_derived(const void *of, size_t first, size_t stop) {
    const derivation *d = of;
    const algorithm_info *a = d->info;
    uint64_t index[DERIVED];
    char low[8 * DERIVED] = {0}, high[8 * DERIVED] = {0}, columns[4][8 * DERIVED] = {{0}}, rows[4][8 * DERIVED];
    char *const column[4] = {columns[0], columns[1], columns[2], columns[3]};
    const void *key[4];
    void *const row[4] = {rows[0], rows[1], rows[2], rows[3]};
    size_t bytes = (size_t)a->word_bytes, key_bytes = bytes * (size_t)a->key_words;
    lanes_fn fn = (bytes == 4 ? d->code->lanes32 : d->code->lanes64)[d->each];
    for (size_t i = 0; i < 4; i++) key[i] = d->each ? columns[i] : d->words + i * bytes;
    for (size_t n; first < stop; first += n) {
        n = stop - first < DERIVED ? stop - first : DERIVED;
        for (size_t i = 0; i < n && !d->index; i++) index[i] = d->start + (first + i) * d->step;
        put_indices(a, low, high, d->index ? d->index + first : index, 0, n);
        if (d->each) put_keys(a, chosen, column, d->words + first * key_bytes, n);
        fn(n, key, low, high, 0, d->domain, row);
        put_words(a, rows, n, d->apart, d->out + first * d->apart * bytes);
    }
    return 0;
}

/* Children `index` to `index + n` of one key. */
static void consecutive(const algorithm_info *a, const algorithm_code *code, const char *key, uint64_t index, size_t n,
                        char *out) {
    size_t bytes = (size_t)(a->key_words * a->word_bytes);
    derivation d = {a, code, key, 0, NULL, index, 1, 1, out, (size_t)a->key_words};
    if (a->key_words == a->block_words) direct(a, code, code->blocks, bytes, bytes, key, index, n, 1, out, out + AHEAD);
    else put_derived(&d, 0, n);
}

/* The child of one key at an index of two 64-bit words. */
static void one_child(const algorithm_info *a, const algorithm_code *code, const char *words, uint64_t low,
                      uint64_t high, uint64_t domain, char *out) {
    size_t bytes = (size_t)a->word_bytes;
    char low_column[VECTOR] = {0}, high_column[VECTOR] = {0}, rows[4][VECTOR];
    const void *key[4];
    void *row[4];
    put_word(low_column, 0, low, a->word_bytes);
    put_word(high_column, 0, high, a->word_bytes);
    for (size_t i = 0; i < 4; i++) key[i] = words + i * bytes, row[i] = rows[i];
    (bytes == 4 ? code->lanes32 : code->lanes64)[0](1, key, low_column, high_column, 0, domain, row);
    for (size_t i = 0; i < (size_t)a->key_words; i++) memcpy(out + i * bytes, rows[i], bytes);
}

typedef struct {
    const algorithm_info *info;
    const algorithm_code *code;
    const char *words;
    uint64_t start;
    size_t count;
    char *out;
} family;

/* Children `first` to `stop` of one key. */
static int put_children(const void *of, size_t first, size_t stop) {
    const family *f = of;
    size_t bytes = (size_t)(f->info->key_words * f->info->word_bytes);
    consecutive(f->info, f->code, f->words, f->start + first, stop - first, f->out + first * bytes);
    return 0;
}

/* All children of some keys. Few of each are computed for many keys side by side. */
static int put_families(const void *of, size_t first, size_t stop) {
    const family *f = of;
    size_t bytes = (size_t)(f->info->key_words * f->info->word_bytes);
    for (size_t n; first < stop; first += n) {
        n = f->count >= FEW ? 1 : stop - first < DERIVED ? stop - first : DERIVED;
        const char *words = f->words + first * bytes;
        char *out = f->out + first * f->count * bytes;
        if (f->count >= FEW) consecutive(f->info, f->code, words, f->start, f->count, out);
        for (size_t i = 0; i < f->count && f->count < FEW; i++) {
            derivation d = {f->info, f->code, words, 1, NULL, f->start + i, 0, 1, out + i * bytes,
                            f->count * (size_t)f->info->key_words};
            put_derived(&d, 0, n);
        }
    }
    return 0;
}

/* children(algorithm, words, keys, start, count, threads, out): children `start` to `start + count` of each key */
static PyObject *children(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 7) return PyErr_Format(PyExc_TypeError, "children takes 7 arguments");
    long number = PyLong_AsLong(args[0]), threads = PyLong_AsLong(args[5]);
    size_t keys = PyLong_AsSize_t(args[2]), count = PyLong_AsSize_t(args[4]);
    unsigned long long start = PyLong_AsUnsignedLongLong(args[3]);
    if (PyErr_Occurred()) return NULL;
    const algorithm_info *a = &algorithm_infos[number];
    size_t bytes = (size_t)(a->key_words * a->word_bytes);
    PyObject *const arrays[] = {args[1], args[6]};
    Py_buffer views[2];
    if (take_all(arrays, views, 2, 2)) return release_all(views, 2, NULL);
    if ((size_t)views[0].len != keys * bytes || (size_t)views[1].len != keys * count * bytes)
        return release_all(views, 2, wrong_size("children"));
    family f = {a, &chosen->algorithms[number], views[0].buf, start, count, views[1].buf};
    int failed = keys == 1 ? run_ranges(put_children, &f, count, GIL_WORTH, 250 * bytes, (int)threads)
                           : run_ranges(put_families, &f, keys, 1, 500 * bytes * count, (int)threads);
    return release_all(views, 2, failed ? NULL : Py_NewRef(Py_None));
}

/* derive(algorithm, words, index, domain, threads, out): the child at each index, of one key or of a key per index */
static PyObject *derive(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 6) return PyErr_Format(PyExc_TypeError, "derive takes 6 arguments");
    long number = PyLong_AsLong(args[0]), threads = PyLong_AsLong(args[4]);
    unsigned long long domain = PyLong_AsUnsignedLongLong(args[3]);
    if (PyErr_Occurred()) return NULL;
    const algorithm_info *a = &algorithm_infos[number];
    Py_ssize_t bytes = a->key_words * a->word_bytes;
    PyObject *const arrays[] = {args[1], args[2], args[5]};
    Py_buffer views[3];
    if (take_all(arrays, views, 3, 4)) return release_all(views, 3, NULL);
    Py_ssize_t count = views[1].len / 8;
    int each = views[0].len != bytes;
    if (views[2].len != count * bytes || (each && views[0].len != count * bytes))
        return release_all(views, 3, wrong_size("derive"));
    derivation d = {a, &chosen->algorithms[number], views[0].buf, each, views[1].buf, 0, 0, domain, views[2].buf,
                    (size_t)a->key_words};
    int failed = run_ranges(put_derived, &d, (size_t)count, DERIVED, 250 * (size_t)bytes, (int)threads);
    return release_all(views, 3, failed ? NULL : Py_NewRef(Py_None));
}

/* derive_one(algorithm, words, low, high, domain, out): the child at an index of two 64-bit words */
static PyObject *derive_one(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 6) return PyErr_Format(PyExc_TypeError, "derive_one takes 6 arguments");
    long number = PyLong_AsLong(args[0]);
    unsigned long long low = PyLong_AsUnsignedLongLong(args[2]), high = PyLong_AsUnsignedLongLong(args[3]),
                       domain = PyLong_AsUnsignedLongLong(args[4]);
    if (PyErr_Occurred()) return NULL;
    const algorithm_info *a = &algorithm_infos[number];
    PyObject *const arrays[] = {args[1], args[5]};
    Py_buffer views[2];
    if (take_all(arrays, views, 2, 2)) return release_all(views, 2, NULL);
    if (views[0].len != a->word_bytes * a->key_words || views[1].len != views[0].len)
        return release_all(views, 2, wrong_size("derive_one"));
    one_child(a, &chosen->algorithms[number], views[0].buf, low, high, domain, views[1].buf);
    return release_all(views, 2, Py_NewRef(Py_None));
}
