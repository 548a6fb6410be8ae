/* Checks of parameters that are arrays. Part of module.c. */
typedef struct {
    int kind; /* 0: unchecked, 1: a number of the closed interval, 2: a whole number of it */
    double low, high;
} interval;

/* Whether elements `first` to `stop` are in their intervals and fulfil the relation, if there is one. `memory` holds a
 * chunk for each parameter and one for the relation. */
static int elements_hold(const job *j, int itemsize, const interval *intervals, int count, const stage *relation,
                         size_t first, size_t stop, char *memory) {
    const void *in[MOST_INPUTS], *related[MOST_INPUTS];
    void *out[1] = {memory + (size_t)count * CHUNK * 8};
    for (size_t n; first < stop; first += n) {
        n = stop - first < CHUNK ? stop - first : CHUNK;
        for (int i = 0; i < count; i++) {
            const parameter *p = &j->parameters[i];
            char *own = memory + (size_t)i * CHUNK * 8;
            in[i] = own;
            if (p->shape == ONE) repeat(p->data, itemsize, CHUNK, own);
            else if (p->shape == WHOLE && n % PAD == 0) in[i] = p->data + first * (size_t)itemsize;
            else gather(j, p, first, n, itemsize, own);
            if (intervals[i].kind && !j->isa->inside[itemsize == 8](in[i], n, intervals[i].low, intervals[i].high,
                                                                    intervals[i].kind > 1))
                return 0;
        }
        if (!relation) continue;
        for (int i = 0; relation->inputs[i] >= 0; i++) related[i] = in[relation->inputs[i]];
        j->isa->maps[relation->map](n, related, out);
        if (memchr(out[0], 0, n)) return 0;
    }
    return 1;
}

/* arrays_hold(relation, itemsize, shape, parameters, intervals, first, stop): `relation` is a program without words
 * on the first parameters, or -1; an interval is (kind, low, high). */
static PyObject *arrays_hold(PyObject *self, PyObject *args) {
    (void)self;
    int relation, itemsize, taken = 0, holds = -1;
    Py_ssize_t first, stop;
    PyObject *shape, *arrays, *rules;
    if (!PyArg_ParseTuple(args, "iiO!O!O!nn", &relation, &itemsize, &PyTuple_Type, &shape, &PyTuple_Type, &arrays,
                          &PyTuple_Type, &rules, &first, &stop))
        return NULL;
    Py_ssize_t count = PyTuple_Size(arrays), dims = PyTuple_Size(shape);
    if (count > MOST_INPUTS || PyTuple_Size(rules) != count || dims > MOST_DIMS ||
        (relation >= 0 && programs[relation].parameters > count))
        return PyErr_Format(PyExc_SystemError, "invalid arguments for arrays_hold");
    interval intervals[MOST_INPUTS];
    Py_buffer views[MOST_INPUTS];
    job j = {.isa = chosen, .dims = (int)dims};
    size_t total = 1;
    for (Py_ssize_t d = 0; d < dims; d++) total *= (size_t)(j.shape[d] = PyLong_AsLongLong(PyTuple_GetItem(shape, d)));
    int failed = PyErr_Occurred() || first < 0 || (size_t)stop > total;
    for (; taken < count && !failed; taken++) {
        interval *rule = &intervals[taken];
        views[taken].obj = NULL;
        failed = !PyArg_ParseTuple(PyTuple_GetItem(rules, taken), "idd", &rule->kind, &rule->low, &rule->high) ||
                 read_parameter(PyTuple_GetItem(arrays, taken), &j.parameters[taken], &views[taken], itemsize, total, (int)dims);
    }
    char *memory = failed ? NULL : malloc((size_t)(count + 1) * CHUNK * 8);
    if (memory) {
        const stage *checked = relation < 0 ? NULL : &stages[programs[relation].first_stage];
        PyThreadState *state = stop - first < GIL_WORTH ? NULL : PyEval_SaveThread();
        fpenv caller = fpenv_enter();
        holds = elements_hold(&j, itemsize, intervals, (int)count, checked, (size_t)first, (size_t)stop, memory);
        fpenv_leave(caller);
        if (state) PyEval_RestoreThread(state);
        free(memory);
    } else if (!failed) {
        PyErr_NoMemory();
    } else if (!PyErr_Occurred()) {
        PyErr_SetString(PyExc_SystemError, "invalid arguments for arrays_hold");
    }
    return release_all(views, taken, holds < 0 ? NULL : PyBool_FromLong(holds));
}
