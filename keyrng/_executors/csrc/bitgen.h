/* NumPy's BitGenerator interface: functions that read a stream of words of a key. */

/* Copied from numpy/random/bitgen.h, a layout that NumPy guarantees to other libraries. */
typedef struct {
    void *stream;
    uint64_t (*next_uint64)(void *);
    uint32_t (*next_uint32)(void *);
    double (*next_double)(void *);
    uint64_t (*next_raw)(void *);
} bitgen;

#define STREAM_WORDS 256

/* A uint64 array that keyrng/interop/numpy.py allocates and fills, except for `words`. */
typedef struct {
    uint64_t next;           /* the index of the next word */
    uint64_t first;          /* the index of words[0]; UINT64_MAX if empty */
    uint64_t has_half, half; /* the high half of a word whose low half next_uint32 returned */
    uint64_t algorithm, key[4];
    uint64_t words[STREAM_WORDS];
} stream;

static void stream_fill(stream *s, uint64_t first) {
    const algorithm_info *a = &algorithm_infos[s->algorithm];
    const algorithm_code *code = &chosen->algorithms[s->algorithm];
    direct(a, code, code->values64, 8, a->jax_layout ? 8 : (size_t)(a->word_bytes * a->block_words), s->key, first,
           STREAM_WORDS, 0, (char *)s->words, NULL);
    s->first = first;
}

static uint64_t stream_uint64(void *of) {
    stream *s = of;
    uint64_t at = s->next % STREAM_WORDS;
    if (s->next - at != s->first) stream_fill(s, s->next - at);
    s->next++;
    return s->words[at];
}

static uint32_t stream_uint32(void *of) {
    stream *s = of;
    s->has_half = !s->has_half;
    if (!s->has_half) return (uint32_t)s->half;
    uint64_t word = stream_uint64(of);
    s->half = word >> 32;
    return (uint32_t)word;
}

static double stream_double(void *of) { return (double)(stream_uint64(of) >> 11) * 0x1p-53; }

/* read_stream(capsule, stream): make a BitGenerator read a stream; the caller keeps the stream alive. */
static PyObject *read_stream(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 2) return PyErr_Format(PyExc_TypeError, "read_stream takes 2 arguments");
    bitgen *b = PyCapsule_GetPointer(args[0], "BitGenerator");
    Py_buffer view = {0};
    if (!b || take(args[1], &view, PyBUF_WRITABLE)) return NULL;
    stream *s = view.buf;
    int fits = (size_t)view.len == sizeof *s && s->algorithm < (uint64_t)COUNT(algorithm_infos);
    if (fits) *b = (bitgen){s, stream_uint64, stream_uint32, stream_double, stream_uint64};
    else PyErr_SetString(PyExc_SystemError, "read_stream was called with a stream of the wrong size or algorithm");
    PyBuffer_Release(&view);
    if (!fits) return NULL;
    Py_RETURN_NONE;
}
