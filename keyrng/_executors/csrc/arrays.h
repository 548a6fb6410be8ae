/* Checks of parameters that are arrays, for Python; rules.h has the rules. Part of module.c. */

/* The rules from (relation, intervals): `relation` is a program without words on the first parameters, or -1, and an
 * interval is (kind, low, high). */
static int read_rules(PyObject *given, Py_ssize_t count, int itemsize, rules *r) {
    int relation;
    PyObject *intervals;
    if (!PyArg_ParseTuple(given, "iO!", &relation, &PyTuple_Type, &intervals)) return -1;
    if (count > MOST_INPUTS || PyTuple_Size(intervals) != count ||
        (relation >= 0 && programs[relation].parameters > count)) {
        PyErr_SetString(PyExc_SystemError, "invalid rules for arrays");
        return -1;
    }
    *r = (rules){.itemsize = itemsize, .count = (int)count};
    if (relation >= 0) r->relation = &stages[programs[relation].first_stage];
    for (Py_ssize_t i = 0; i < count; i++) {
        interval *x = &r->intervals[i];
        if (!PyArg_ParseTuple(PyTuple_GetItem(intervals, i), "idd", &x->kind, &x->low, &x->high)) return -1;
    }
    return 0;
}

/* Returns 1 if an element of the parameters of a job breaks a rule. */
static int check_range(const void *of, size_t first, size_t stop) {
    const job *j = of;
    const rules *r = j->rules;
    char *memory = malloc((size_t)(r->count + 1) * CHUNK * 8);
    if (!memory) return -1;
    int status = 0;
    fpenv caller = fpenv_enter();
    for (size_t n; first < stop && !status; first += n) {
        const void *in[MOST_INPUTS];
        n = stop - first < CHUNK ? stop - first : CHUNK;
        for (int i = 0; i < r->count; i++) {
            const parameter *p = &j->parameters[i];
            char *own = memory + (size_t)i * CHUNK * 8;
            in[i] = own;
            if (p->shape == ONE) repeat(p->data, r->itemsize, CHUNK, own);
            else if (p->shape == WHOLE && n % PAD == 0) in[i] = p->data + first * (size_t)r->itemsize;
            else gather(j, p, first, n, r->itemsize, own);
        }
        status = broken(j->isa, r, in, n, memory + (size_t)r->count * CHUNK * 8);
    }
    fpenv_leave(caller);
    free(memory);
    return status;
}

/* arrays_hold(rules, itemsize, shape, parameters, threads): whether parameters keep rules, as for `read_rules` */
static PyObject *arrays_hold(PyObject *self, PyObject *args) {
    (void)self;
    int itemsize, threads, taken = 0, status = -1;
    PyObject *given, *shape, *arrays;
    if (!PyArg_ParseTuple(args, "O!iO!O!i", &PyTuple_Type, &given, &itemsize, &PyTuple_Type, &shape, &PyTuple_Type,
                          &arrays, &threads))
        return NULL;
    Py_ssize_t count = PyTuple_Size(arrays), dims = PyTuple_Size(shape);
    rules r;
    if (read_rules(given, count, itemsize, &r)) return NULL;
    if (dims > MOST_DIMS) return PyErr_Format(PyExc_SystemError, "invalid arguments for arrays_hold");
    job j = {.isa = chosen, .dims = (int)dims, .rules = &r};
    Py_buffer views[MOST_INPUTS];
    size_t total = 1;
    for (Py_ssize_t d = 0; d < dims; d++) total *= (size_t)(j.shape[d] = PyLong_AsLongLong(PyTuple_GetItem(shape, d)));
    int failed = PyErr_Occurred() != NULL;
    for (; taken < count && !failed; taken++) {
        views[taken].obj = NULL;
        failed = read_parameter(PyTuple_GetItem(arrays, taken), &j.parameters[taken], &views[taken], itemsize, total, (int)dims);
    }
    if (!failed) status = run_ranges(check_range, &j, total, CHUNK, 500 * (uint64_t)count, threads);
    return release_all(views, taken, status < 0 ? NULL : PyBool_FromLong(!status));
}
