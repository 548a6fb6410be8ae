/* Checks of parameters that are arrays. Part of module.c. */
typedef struct {
    int kind; /* 0: unchecked, 1: a number of the closed interval, 2: a whole number of it */
    double low, high;
} interval;

typedef struct {
    job job; /* of which it has the parameters, and a code */
    int itemsize, count;
    interval intervals[MOST_INPUTS];
    const stage *relation; /* or NULL */
} rules;

/* 0 if elements `first` to `stop` are in their intervals and fulfil the relation. `memory` holds a chunk for each
 * parameter and one for the relation. */
static int broken(const rules *c, size_t first, size_t stop, char *memory) {
    const void *in[MOST_INPUTS], *related[MOST_INPUTS];
    void *out[1] = {memory + (size_t)c->count * CHUNK * 8};
    for (size_t n; first < stop; first += n) {
        n = stop - first < CHUNK ? stop - first : CHUNK;
        for (int i = 0; i < c->count; i++) {
            const parameter *p = &c->job.parameters[i];
            const interval *rule = &c->intervals[i];
            char *own = memory + (size_t)i * CHUNK * 8;
            in[i] = own;
            if (p->shape == ONE) repeat(p->data, c->itemsize, CHUNK, own);
            else if (p->shape == WHOLE && n % PAD == 0) in[i] = p->data + first * (size_t)c->itemsize;
            else gather(&c->job, p, first, n, c->itemsize, own);
            if (rule->kind && !c->job.isa->inside[c->itemsize == 8](in[i], n, rule->low, rule->high, rule->kind > 1))
                return 1;
        }
        if (!c->relation) continue;
        for (int i = 0; c->relation->inputs[i] >= 0; i++) related[i] = in[c->relation->inputs[i]];
        c->job.isa->maps[c->relation->map](n, related, out);
        if (memchr(out[0], 0, n)) return 1;
    }
    return 0;
}

static int check_range(const void *of, size_t first, size_t stop) {
    const rules *c = of;
    char *memory = malloc((size_t)(c->count + 1) * CHUNK * 8);
    if (!memory) return -1;
    fpenv caller = fpenv_enter();
    int status = broken(c, first, stop, memory);
    fpenv_leave(caller);
    free(memory);
    return status;
}

/* arrays_hold(relation, itemsize, shape, parameters, intervals, threads): `relation` is a program without words on the
 * first parameters, or -1; an interval is (kind, low, high). */
static PyObject *arrays_hold(PyObject *self, PyObject *args) {
    (void)self;
    int relation, itemsize, threads, taken = 0, status = -1;
    PyObject *shape, *arrays, *intervals;
    if (!PyArg_ParseTuple(args, "iiO!O!O!i", &relation, &itemsize, &PyTuple_Type, &shape, &PyTuple_Type, &arrays,
                          &PyTuple_Type, &intervals, &threads))
        return NULL;
    Py_ssize_t count = PyTuple_Size(arrays), dims = PyTuple_Size(shape);
    if (count > MOST_INPUTS || PyTuple_Size(intervals) != count || dims > MOST_DIMS ||
        (relation >= 0 && programs[relation].parameters > count))
        return PyErr_Format(PyExc_SystemError, "invalid arguments for arrays_hold");
    rules c = {.job = {.isa = chosen, .dims = (int)dims}, .itemsize = itemsize, .count = (int)count};
    if (relation >= 0) c.relation = &stages[programs[relation].first_stage];
    Py_buffer views[MOST_INPUTS];
    size_t total = 1;
    for (Py_ssize_t d = 0; d < dims; d++) total *= (size_t)(c.job.shape[d] = PyLong_AsLongLong(PyTuple_GetItem(shape, d)));
    int failed = PyErr_Occurred() != NULL;
    for (; taken < count && !failed; taken++) {
        interval *rule = &c.intervals[taken];
        views[taken].obj = NULL;
        failed = !PyArg_ParseTuple(PyTuple_GetItem(intervals, taken), "idd", &rule->kind, &rule->low, &rule->high) ||
                 read_parameter(PyTuple_GetItem(arrays, taken), &c.job.parameters[taken], &views[taken], itemsize, total, (int)dims);
    }
    if (!failed) status = run_ranges(check_range, &c, total, CHUNK, 500 * (uint64_t)count, threads);
    return release_all(views, taken, status < 0 ? NULL : PyBool_FromLong(!status));
}
