/* Draws for Python: a sampler that is called with one key, and numbers or arrays, runs in one call of C. Part of module.c.
 *
 * An entry has the argument names of a sampler and its plans. Plans are in plan.h; Python makes them by running the
 * sampler (keyrng/_sampling/sampler.py). An entry returns None for all that its plans do not cover: other types, numbers
 * that a rule refuses, the largest samples of several steps. The caller then runs the sampler in Python, which reports
 * errors.
 */

/* The array to write a sample to: `out` if it fits the shape, else a new one; NULL for a draw that Python must check. */
static PyArrayObject *target(const plan *p, PyObject *out, PyObject *shape, size_t *count) {
    npy_intp sizes[MOST_SMALL_DIMS];
    int dims = shape ? read_shape(shape, MOST_ELEMENTS, sizes, count) : 0;
    if (dims < 0) return NULL;
    if (!out) return new_array(p, dims, sizes);
    PyArrayObject *array = (PyArrayObject *)out;
    if (dims && (PyArray_NDIM(array) != dims || memcmp(PyArray_DIMS(array), sizes, (size_t)dims * sizeof *sizes)))
        return NULL;
    npy_intp size = PyArray_SIZE(array);
    if (!PyArray_EquivTypes(PyArray_DESCR(array), p->result) || !PyArray_ISCARRAY(array) || size < 1) return NULL;
    *count = (size_t)size;
    Py_INCREF(out);
    return array;
}

static PyObject *draw_sample(entry *e, PyObject *const *values) {
    PyObject *algorithm = NULL;
    PyArrayObject *words = single_key(values[e->key], e->key_type, &algorithm);
    if (!words) return NULL;
    PyObject *shape = values[e->shape], *out = e->out < 0 ? NULL : values[e->out];
    PyObject *dtype = e->dtype < 0 || !values[e->dtype] ? Py_None : values[e->dtype];
    if (shape == Py_None) shape = NULL;
    if (out == Py_None) out = NULL;
    if (out && PyArray_CheckExact(out) && dtype == Py_None && e->dtype >= 0)
        dtype = (PyObject *)PyArray_DESCR((PyArrayObject *)out);
    PyObject *result = NULL;
    if ((!out || PyArray_CheckExact(out)) && fpenv_is_default()) {
        converted x;
        size_t count = 1;
        const plan *p = find_plan(e, algorithm, dtype, values, &x);
        PyArrayObject *array = p ? target(p, out, shape, &count) : NULL;
        if (array) {
            job j;
            one_key(&j, p->program, p->store, p->number, PyArray_DATA(words), count, PyArray_DATA(array),
                    (int)PyArray_ITEMSIZE(array));
            for (int i = 0; i < j.program->parameters; i++)
                j.parameters[i].data = (const char *)&x.numbers[i], j.parameters[i].shape = ONE;
            result = (PyObject *)array;
            if (run_job(&j, 0)) Py_CLEAR(result);
        } else if (!p && !out && !PyErr_Occurred()) {
            result = draw_with_arrays(e, algorithm, dtype, PyArray_DATA(words), shape, values);
        }
    }
    return result;
}

/* A key with these words, whose reference it takes. */
static PyObject *new_key(PyObject *key_type, PyObject *algorithm, PyArrayObject *words) {
    if (!words) return NULL;
    PyArray_CLEARFLAGS(words, NPY_ARRAY_WRITEABLE);
    PyObject *key = PyType_GenericAlloc((PyTypeObject *)key_type, 0);
    if (!key) return Py_DECREF((PyObject *)words), NULL;
    Py_INCREF(algorithm);
    *slot(key, words_at) = (PyObject *)words;
    *slot(key, algorithm_at) = algorithm;
    return key;
}

static PyArrayObject *split_words(const plan *p, PyArrayObject *words, long long n) {
    npy_intp sizes[2] = {(npy_intp)n, PyArray_DIM(words, 0)};
    PyArrayObject *made = new_array(p, 2, sizes);
    if (made)
        consecutive(&algorithm_infos[p->number], &chosen->algorithms[p->number], PyArray_DATA(words), 0, (size_t)n,
                    PyArray_DATA(made));
    return made;
}

static PyArrayObject *fold_in_words(const plan *p, PyArrayObject *words, long long index) {
    PyArrayObject *made = new_array(p, 1, PyArray_DIMS(words));
    if (made) fold(p, PyArray_DATA(words), (uint64_t)index, PyArray_DATA(made));
    return made;
}

static PyArrayObject *permuted(const plan *p, PyArrayObject *words, long long n) {
    npy_intp size = (npy_intp)n;
    PyArrayObject *order = new_array(p, 1, &size);
    if (!order) return NULL;
    PyThreadState *state = n < GIL_WORTH ? NULL : PyEval_SaveThread();
    int no_memory = put_order(p->number, PyArray_DATA(words), (size_t)n, PyArray_DATA(order));
    if (state) PyEval_RestoreThread(state);
    if (!no_memory) return order;
    PyErr_NoMemory();
    Py_DECREF((PyObject *)order);
    return NULL;
}

static PyObject *answer_int(entry *e, PyObject *const *values);
static PyObject *answer_steps(entry *e, PyObject *const *values);
static PyObject *answer_indices(entry *e, PyObject *const *values);

/* Kinds of functions with an entry. Functions of a key and an int make the words of a key, or an array of integers. */
typedef struct kind {
    const char *name;
    PyObject *(*answer)(entry *, PyObject *const *values); /* or NULL, with an exception or if Python must run it */
    PyArrayObject *(*make)(const plan *, PyArrayObject *words, long long number);
    long long least, most;
    int makes_key, takes_array;
    const steps *steps;
} kind;

static const kind kinds[] = {{.name = "sample", .answer = draw_sample},
                             {"split", answer_int, split_words, 1, GIL_WORTH, 1, 0, NULL},
                             {"fold_in", answer_int, fold_in_words, 0, LLONG_MAX, 1, 0, NULL},
                             {"permutation", answer_int, permuted, 2, SHORT_ORDER, 0, 1, NULL},
                             {.name = "dirichlet", .answer = answer_steps, .steps = &dirichlet},
                             {.name = "multinomial", .answer = answer_steps, .steps = &multinomial},
                             {.name = "categorical", .answer = answer_steps, .steps = &categorical},
                             {.name = "choice", .answer = answer_steps, .steps = &choice},
                             {.name = "multivariate_hypergeometric", .answer = answer_steps, .steps = &multivariate_hypergeometric},
                             {.name = "sample_without_replacement", .answer = answer_steps, .steps = &sample_without_replacement},
                             {.name = "index_shuffle", .answer = answer_indices},
                             {.name = "multivariate_normal", .answer = answer_steps, .steps = &multivariate_normal}};

/* The number of rows of an array of numbers in C order, or -1 if it is something else or large. */
static long long short_array(PyObject *object) {
    if (!PyArray_CheckExact(object)) return -1;
    PyArrayObject *array = (PyArrayObject *)object;
    int fits = PyArray_ISCARRAY_RO(array) && PyArray_TYPE(array) < NPY_OBJECT && PyArray_NBYTES(array) <= 8 * GIL_WORTH;
    return fits && PyArray_NDIM(array) && PyArray_SIZE(array) ? PyArray_DIM(array, 0) : -1;
}

/* The rows of an array at some places, whose reference it takes. */
static PyArrayObject *rows_at(PyArrayObject *array, PyArrayObject *places) {
    PyArrayObject *taken = places ? (PyArrayObject *)PyArray_NewLikeArray(array, NPY_CORDER, NULL, 0) : NULL;
    size_t n = (size_t)PyArray_DIM(array, 0), size = (size_t)PyArray_NBYTES(array) / n;
    if (taken) take_places(&(gathering){PyArray_DATA(array), size, PyArray_DATA(places), PyArray_DATA(taken)}, 0, n);
    Py_XDECREF((PyObject *)places);
    return taken;
}

/* The result of a function of one key and an int, which are the only arguments, or an array in place of the int. */
static PyObject *answer_int(entry *e, PyObject *const *values) {
    int overflow = 0;
    for (int i = 2; i < e->arguments; i++)
        if (values[i]) return NULL;
    long long number = -1, rows = values[1] && e->kind->takes_array ? short_array(values[1]) : -1;
    if (values[1] && PyLong_CheckExact(values[1])) number = PyLong_AsLongLongAndOverflow(values[1], &overflow);
    if (rows >= 0) number = rows;
    if (!values[1] && e->fallback >= 0) number = e->fallback;
    if (overflow || number < e->kind->least || number > e->kind->most) return NULL;
    PyObject *algorithm, *none[MOST_ARGUMENTS] = {NULL}, *result = NULL;
    PyArrayObject *words = single_key(values[0], e->key_type, &algorithm);
    if (!words) return NULL;
    converted nothing;
    const plan *p = find_plan(e, algorithm, Py_None, none, &nothing);
    if (p) {
        PyArrayObject *made = e->kind->make(p, words, number);
        if (rows >= 0) made = rows_at((PyArrayObject *)values[1], made);
        result = e->kind->makes_key ? new_key(e->key_type, algorithm, made) : (PyObject *)made;
    }
    return result;
}

/* The sample of a sampler of several steps. */
static PyObject *answer_steps(entry *e, PyObject *const *values) {
    const steps *s = e->kind->steps;
    PyObject *algorithm, *shape = values[e->shape], *dtype = e->dtype < 0 || !values[e->dtype] ? Py_None : values[e->dtype];
    if (e->out >= 0 && values[e->out] && values[e->out] != Py_None) return NULL;
    npy_intp sizes[MOST_SMALL_DIMS + 1];
    size_t count = 1;
    int dims = shape && shape != Py_None ? read_shape(shape, MOST_IN_STEPS, sizes, &count) : 0;
    PyArrayObject *words = dims < 0 || !fpenv_is_default() ? NULL : single_key(values[0], e->key_type, &algorithm);
    if (!words) return NULL;
    if (s->dtype_of_arrays && dtype == Py_None) dtype = widest(values, e->arguments);
    converted x;
    PyArrayObject *result = NULL;
    const plan *p = find_plan(e, algorithm, dtype, values, &x);
    if (p && put_row_shape(s, &x, shape && shape != Py_None, sizes, &dims, &count) && (result = new_array(p, dims, sizes))) {
        if (s->draw(p, PyArray_DATA(words), &x, count, result)) Py_CLEAR(result);
    }
    return (PyObject *)result;
}

/* Elements of a permutation: the arguments after the key are indices and a length. */
static PyObject *answer_indices(entry *e, PyObject *const *values) {
    PyObject *algorithm, *given = values[1];
    PyArrayObject *array = given && PyArray_CheckExact(given) ? (PyArrayObject *)given : NULL, *words;
    npy_intp size = array ? PyArray_SIZE(array) : 1;
    if (array && (!PyArray_ISCARRAY_RO(array) || !PyArray_ISSIGNED(array) || PyArray_ITEMSIZE(array) < 4)) return NULL;
    if (!given || (!array && !PyLong_CheckExact(given)) || size < 1 || size > MOST_IN_STEPS ||
        (e->out >= 0 && values[e->out] && values[e->out] != Py_None) || !fpenv_is_default() ||
        !(words = single_key(values[0], e->key_type, &algorithm)))
        return NULL;
    converted x;
    PyArrayObject *result = NULL;
    const plan *p = find_plan(e, algorithm, Py_None, values, &x);
    if (p && (result = new_array(p, array ? PyArray_NDIM(array) : 0, array ? PyArray_DIMS(array) : NULL))) {
        uint64_t *indices = PyArray_DATA(result);
        if (!read_indices(given, x.numbers[0], (size_t)size, indices) ||
            walk(p, PyArray_DATA(words), &x, (size_t)size, indices))
            Py_CLEAR(result);
    }
    return (PyObject *)result;
}

/* keys_of(key_type, algorithm, words): the keys along an axis, which share the memory of words of two axes */
static PyObject *keys_of(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *type, *algorithm, *array;
    if (!PyArg_ParseTuple(args, "OOO!", &type, &algorithm, &PyArray_Type, &array)) return NULL;
    PyArrayObject *words = (PyArrayObject *)array;
    if (PyArray_NDIM(words) != 2 || !PyArray_IS_C_CONTIGUOUS(words))
        return PyErr_Format(PyExc_SystemError, "keys_of requires contiguous words of two axes");
    PyObject *keys = PyList_New(PyArray_DIM(words, 0));
    for (npy_intp i = 0; keys && i < PyArray_DIM(words, 0); i++) {
        PyArray_Descr *dtype = PyArray_DESCR(words);
        Py_INCREF((PyObject *)dtype);
        PyArrayObject *row = (PyArrayObject *)PyArray_NewFromDescr(&PyArray_Type, dtype, 1, PyArray_DIMS(words) + 1, NULL,
                                                                   PyArray_GETPTR1(words, i), 0, NULL);
        if (row) {
            Py_INCREF(array);
            if (PyArray_SetBaseObject(row, array)) Py_DECREF((PyObject *)row), row = NULL;
        }
        PyObject *key = new_key(type, algorithm, row);
        if (!key || PyList_SetItem(keys, i, key)) Py_CLEAR(keys);
    }
    return keys;
}

/* call_entry(args, kwargs): the result, or None if Python must run the function */
static PyObject *call_entry(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    if (n != 2 || !PyTuple_CheckExact(args[0]) || !PyDict_CheckExact(args[1]))
        return PyErr_Format(PyExc_TypeError, "an entry takes a tuple and a dict");
    if (entries_paused) Py_RETURN_NONE;
    entry *e = PyCapsule_GetPointer(self, NULL); /* a name would be compared */
    if (!e) return NULL;
    PyObject *values[MOST_ARGUMENTS] = {NULL}, *result = NULL;
    if (bind(e, args[0], args[1], values)) result = e->kind->answer(e, values);
    if (result || PyErr_Occurred()) return result;
    Py_RETURN_NONE;
}

static PyMethodDef call_entry_method = {"call_entry", (PyCFunction)(void (*)(void))call_entry, METH_FASTCALL, NULL};

/* make_entry(kind, key_type, names, positional, default, learn): a function call_entry(args, kwargs) for a function with
 * these argument names, of which the first `positional` can be positional; `default` is that of the second argument, or
 * -1. It lives as long as the process. */
static PyObject *make_entry(PyObject *self, PyObject *args) {
    (void)self;
    PyObject *type, *names, *learn;
    int positional, fallback, number = 0;
    const char *kind_name;
    if (!PyArg_ParseTuple(args, "sOO!iiO", &kind_name, &type, &PyTuple_Type, &names, &positional, &fallback, &learn))
        return NULL;
    while (number < COUNT(kinds) && strcmp(kinds[number].name, kind_name)) number++;
    if (number == COUNT(kinds)) return PyErr_Format(PyExc_ValueError, "no entries of kind %s", kind_name);
    Py_ssize_t n = PyTuple_Size(names);
    if (n > MOST_ARGUMENTS) return PyErr_Format(PyExc_ValueError, "a sampler has at most %d arguments", MOST_ARGUMENTS);
    entry *e = PyMem_Malloc(sizeof *e);
    if (!e) return PyErr_NoMemory();
    *e = (entry){.kind = &kinds[number], .key_type = type, .positional = positional, .arguments = (int)n,
                 .fallback = fallback, .learn = learn};
    e->key = e->shape = e->dtype = e->out = -1;
    for (int i = 0; i < n; i++) {
        PyObject *name = PyTuple_GetItem(names, i);
        Py_INCREF(name);
        PyUnicode_InternInPlace(&name);
        e->names[i] = name;
        int *const roles[] = {&e->key, &e->shape, &e->dtype, &e->out};
        const char *const role_names[] = {"key", "shape", "dtype", "out"};
        for (int r = 0; r < 4; r++)
            if (!PyUnicode_CompareWithASCIIString(name, role_names[r])) *roles[r] = i;
    }
    if (e->key != 0 || (e->shape < 0 && (e->kind->answer == draw_sample || e->kind->answer == answer_steps))) {
        PyMem_Free(e);
        return PyErr_Format(PyExc_ValueError, "the first argument must be key, and a sampler must have a shape");
    }
    if (find_slots(type)) {
        PyMem_Free(e);
        return NULL;
    }
    Py_INCREF(learn), Py_INCREF(type);
    PyObject *capsule = PyCapsule_New(e, NULL, NULL);
    if (!capsule) return NULL;
    PyObject *function = PyCFunction_NewEx(&call_entry_method, capsule, NULL);
    Py_DECREF(capsule);
    return function;
}

/* pause_entries(paused, reason): entries draw while no reason, a bit, is set. */
static PyObject *pause_entries(PyObject *self, PyObject *args) {
    (void)self;
    int paused, reason;
    if (!PyArg_ParseTuple(args, "pi", &paused, &reason)) return NULL;
    entries_paused = paused ? entries_paused | reason : entries_paused & ~reason;
    Py_RETURN_NONE;
}
