/* Draws with arrays as parameters: contiguous arrays of floats of the shape of the sample, and numbers. Python takes all
 * others. Part of module.c; rules.h has the check, chunk by chunk while they are drawn. */

static interval closed(const number_rule *r, int itemsize) {
    interval x = {r->flags & UNCHECKED ? 0 : r->flags & WHOLE_NUMBER ? 2 : 1, r->low, r->high};
    if (itemsize == 4) {
        x.low = r->flags & OPEN_LOW ? nextafterf((float)r->low, INFINITY) : (float)r->low;
        x.high = r->flags & OPEN_HIGH ? nextafterf((float)r->high, -INFINITY) : (float)r->high;
    } else {
        if (r->flags & OPEN_LOW) x.low = nextafter(r->low, INFINITY);
        if (r->flags & OPEN_HIGH) x.high = nextafter(r->high, -INFINITY);
    }
    return x;
}

typedef struct {
    const void *from;
    size_t count;
    int narrows;
    void *to;
} conversion;

static void convert(const conversion *c) {
    fpenv caller = fpenv_enter();
    for (size_t i = 0; i < c->count && c->narrows; i++) ((float *)c->to)[i] = (float)((const double *)c->from)[i];
    for (size_t i = 0; i < c->count && !c->narrows; i++) ((double *)c->to)[i] = ((const float *)c->from)[i];
    fpenv_leave(caller);
}

/* Set a parameter to an array of a dtype; returns 0 if C does not take it. Numbers of the other width are checked as they
 * were given, and converted to `memory`, which the caller frees. */
static int put_array(const number_rule *r, PyArrayObject *array, int itemsize, parameter *to, void **memory) {
    size_t count = (size_t)PyArray_SIZE(array);
    int type = PyArray_TYPE(array), width = type == NPY_DOUBLE ? 8 : type == NPY_FLOAT ? 4 : 0;
    if (!width || !PyArray_ISCARRAY_RO(array)) return 0;
    to->data = PyArray_DATA(array), to->shape = WHOLE;
    if (width == itemsize) return 1;
    if (!(*memory = malloc(count * (size_t)itemsize))) return 0;
    interval x = closed(r, width);
    conversion c = {to->data, count, width == 8, *memory};
    PyThreadState *state = count < GIL_WORTH ? NULL : PyEval_SaveThread();
    int inside = !x.kind || chosen->inside[width == 8](to->data, count, x.low, x.high, x.kind > 1);
    if (inside) convert(&c);
    if (state) PyEval_RestoreThread(state);
    to->data = *memory;
    return inside;
}

/* A sample of a plan; NULL, maybe with an exception, if a parameter is not as planned. */
static PyArrayObject *draw_planned(const plan *p, const char *words, PyObject *const *values, int dims, npy_intp *sizes,
                                   size_t count) {
    const program *q = &programs[p->program];
    rules r = {.itemsize = q->itemsize, .count = p->rule_count};
    uint64_t numbers[MOST_INPUTS];
    void *memory[MOST_INPUTS] = {NULL};
    int fits = p->rule_count == q->parameters && (p->relation < 0 || programs[p->relation].parameters <= p->rule_count);
    job j;
    one_key(&j, p->program, p->store, p->number, words, count, NULL, (int)PyDataType_ELSIZE(p->result));
    j.rules = &r;
    if (p->relation >= 0) r.relation = &stages[programs[p->relation].first_stage];
    for (int i = 0; i < p->rule_count && fits; i++) {
        const number_rule *rule = &p->rules[i];
        PyObject *value = rule->argument < 0 ? NULL : values[rule->argument];
        if (!(rule->flags & FOR_ARRAYS)) {
            fits = 0;
        } else if (value && PyArray_CheckExact(value)) {
            fits = put_array(rule, (PyArrayObject *)value, q->itemsize, &j.parameters[i], &memory[i]);
            r.intervals[i] = closed(rule, q->itemsize);
        } else {
            fits = put_float(rule, value, q->itemsize, &numbers[i]);
            j.parameters[i].data = (const char *)&numbers[i], j.parameters[i].shape = ONE;
        }
    }
    PyArrayObject *result = fits ? new_array(p, dims, sizes) : NULL;
    if (result) {
        j.out = PyArray_DATA(result);
        if (run_job(&j, 0)) Py_CLEAR(result);
    }
    for (int i = 0; i < p->rule_count; i++) free(memory[i]);
    return result;
}

/* The sample of the first plan whose rules all numbers keep; NULL, maybe with an exception, if there is none. */
static PyObject *draw_with_arrays(const entry *e, PyObject *algorithm, PyObject *dtype, const char *words, PyObject *shape,
                                  PyObject *const *values) {
    unsigned given = given_arguments(e, values);
    PyArrayObject *first = NULL;
    for (int i = 0; i < e->arguments; i++) {
        if (!(given >> i & 1) || !PyArray_CheckExact(values[i])) continue;
        PyArrayObject *array = (PyArrayObject *)values[i];
        if (!first) first = array;
        else if (!PyArray_SAMESHAPE(first, array)) return NULL;
    }
    if (!first || !PyArray_NDIM(first) || !PyArray_SIZE(first)) return NULL;
    int dims = PyArray_NDIM(first);
    npy_intp asked[MOST_SMALL_DIMS], *sizes = PyArray_DIMS(first);
    size_t count = (size_t)PyArray_SIZE(first);
    if (shape ? read_shape(shape, MOST_ELEMENTS, asked, &count) != dims || memcmp(asked, sizes, (size_t)dims * sizeof *sizes)
              : !values[e->shape] && !e->fallback)
        return NULL;
    for (int i = 0, n = PLANS(e); i < n; i++) {
        const plan *p = e->plans[i];
        if (p->algorithm != algorithm || p->dtype != dtype || p->given != given || p->program < 0) continue;
        PyArrayObject *result = draw_planned(p, words, values, dims, sizes, count);
        if (result || PyErr_Occurred()) return (PyObject *)result;
    }
    return NULL;
}
