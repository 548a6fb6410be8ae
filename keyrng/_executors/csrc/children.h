/* Key derivation for Python: consecutive children, one child per key, one child. Included by module.c. */

/* Keys from the first words of blocks: consecutive indices of one key, or an index and a key per lane. */
static void blocks(const algorithm_info *a, const algorithm_code *code, const char *words, int each,
                   const uint64_t *index, uint64_t start, size_t n, uint64_t domain, char *out) {
    enum { MANY = 256 };
    char low[8 * MANY], high[8 * MANY], rows[4][8 * MANY], columns[4][8 * MANY];
    const void *key[4];
    void *row[4];
    size_t bytes = (size_t)a->word_bytes, words_each = (size_t)a->key_words;
    lanes_fn fn = (bytes == 4 ? code->lanes32 : code->lanes64)[each];
    memset(low, 0, sizeof low), memset(high, 0, sizeof high), memset(columns, 0, sizeof columns);
    for (int i = 0; i < 4; i++) key[i] = each ? columns[i] : words + (size_t)i * bytes, row[i] = rows[i];
    for (size_t done = 0; done < n; done += MANY) {
        size_t m = n - done < MANY ? n - done : MANY;
        if (index) put_indices(a, low, high, index + done, 0, m);
        else
            for (size_t i = 0; i < m; i++) put_index(a, low, high, i, start + done + i);
        char *const put[4] = {columns[0], columns[1], columns[2], columns[3]};
        if (each) put_keys(a, chosen, put, words + done * words_each * bytes, m);
        fn(m, key, low, high, 0, domain, row);
        for (size_t i = 0; i < m; i++)
            for (size_t k = 0; k < words_each; k++)
                memcpy(out + ((done + i) * words_each + k) * bytes, rows[k] + i * bytes, bytes);
    }
}

/* Children `index` to `index + n` of one key. */
static void consecutive(const algorithm_info *a, const algorithm_code *code, const char *key, uint64_t index, size_t n,
                        char *out) {
    size_t bytes = (size_t)(a->key_words * a->word_bytes);
    if (a->key_words == a->block_words)
        direct(a, code, code->blocks, bytes, bytes, key, index, n, 1, out, out + AHEAD);
    else
        blocks(a, code, key, 0, NULL, index, n, 1, out);
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

/* Children `first` to `stop`, over all keys. */
static int put_children(const void *of, size_t first, size_t stop) {
    const family *f = of;
    size_t bytes = (size_t)(f->info->key_words * f->info->word_bytes);
    for (size_t n; first < stop; first += n) {
        size_t place = first % f->count;
        n = stop - first < f->count - place ? stop - first : f->count - place;
        consecutive(f->info, f->code, f->words + first / f->count * bytes, f->start + place, n, f->out + first * bytes);
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
    int failed = run_ranges(put_children, &f, keys * count, GIL_WORTH, 250 * bytes, (int)threads);
    return release_all(views, 2, failed ? NULL : Py_NewRef(Py_None));
}

/* derive(algorithm, words, index, n, domain, out): one child per key, each at its own index */
static PyObject *derive(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 6) return PyErr_Format(PyExc_TypeError, "derive takes 6 arguments");
    long number = PyLong_AsLong(args[0]);
    size_t lanes = PyLong_AsSize_t(args[3]);
    unsigned long long domain = PyLong_AsUnsignedLongLong(args[4]);
    if (PyErr_Occurred()) return NULL;
    const algorithm_info *a = &algorithm_infos[number];
    size_t bytes = lanes * (size_t)(a->key_words * a->word_bytes);
    Py_buffer words = {0}, index = {0}, out = {0};
    int failed = take(args[1], &words, PyBUF_SIMPLE) || take(args[2], &index, PyBUF_SIMPLE) ||
                 take(args[5], &out, PyBUF_WRITABLE);
    if (!failed && ((size_t)words.len != bytes || (size_t)out.len != bytes || (size_t)index.len != 8 * lanes)) {
        PyErr_SetString(PyExc_SystemError, "derive was called with buffers of the wrong size");
        failed = 1;
    }
    if (!failed) {
        PyThreadState *state = lanes < GIL_WORTH ? NULL : PyEval_SaveThread();
        blocks(a, &chosen->algorithms[number], words.buf, 1, index.buf, 0, lanes, domain, out.buf);
        if (state) PyEval_RestoreThread(state);
    }
    if (words.obj) PyBuffer_Release(&words);
    if (index.obj) PyBuffer_Release(&index);
    if (out.obj) PyBuffer_Release(&out);
    if (failed) return NULL;
    Py_RETURN_NONE;
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
    Py_buffer words = {0}, out = {0};
    int failed = take(args[1], &words, PyBUF_SIMPLE) || take(args[5], &out, PyBUF_WRITABLE);
    if (!failed && (words.len != a->word_bytes * a->key_words || out.len != words.len)) {
        PyErr_SetString(PyExc_SystemError, "derive_one was called with buffers of the wrong size");
        failed = 1;
    }
    if (!failed) one_child(a, &chosen->algorithms[number], words.buf, low, high, domain, out.buf);
    if (words.obj) PyBuffer_Release(&words);
    if (out.obj) PyBuffer_Release(&out);
    if (failed) return NULL;
    Py_RETURN_NONE;
}
