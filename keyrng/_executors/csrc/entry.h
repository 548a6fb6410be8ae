/* Small draws for Python: a sampler that is called with one key and numbers runs in one call of C. Part of module.c.
 *
 * An entry has the argument names of a sampler and its plans. A plan is a kernel with rules for the numbers that it
 * takes; Python makes it by running the sampler (keyrng/_sampling/sampler.py). An entry returns None for all that its
 * plans do not cover: other types, large samples, numbers that a rule refuses. The caller then runs the sampler in
 * Python, which reports errors.
 */
#define MOST_ARGUMENTS 16
#define MOST_PLANS 128
#define LARGEST_EXACT (1ll << 53)

enum { OPEN_LOW = 1, OPEN_HIGH = 2, WHOLE_NUMBER = 4, UNCHECKED = 8, INTEGER = 16, DIFFERENCE = 32, INVERSE = 64, CARRY = 128 };

/* How to find a kernel's parameter: a float from `low` to `high`, or a word, for an integer from `least` to `most`, or
 * for its difference, from 1 to `high`, to the integer of the rule before. INVERSE and CARRY follow a difference. */
typedef struct {
    int argument; /* -1 for a constant, which is `low` */
    int flags;
    double low, high;
    long long least, most;
} number_rule;

typedef struct {
    PyObject *algorithm, *dtype; /* objects that are compared by identity; `dtype` is that of the call, or None */
    unsigned given;              /* the arguments besides key, shape, dtype and out that were given, as bits */
    int program, store, number;  /* program is -1 if the sampler must run in Python */
    int relation;                /* a program without words on the first parameters, or -1 */
    PyArray_Descr *result;
    int rule_count;
    number_rule rules[MOST_INPUTS];
} plan;

typedef struct entry {
    PyObject *(*call)(struct entry *, PyObject *const *values); /* the result; NULL, without an exception, for Python */
    PyObject *key_type;
    PyObject *names[MOST_ARGUMENTS]; /* interned */
    int positional, arguments, fallback;
    int key, shape, dtype, out; /* positions; -1 if the sampler has no such argument */
    PyObject *learn; /* learn(algorithm, dtype, given): a tuple of plans; False if the dtype may not be kept */
    int count;
    plan *plans[MOST_PLANS];
} entry;

static int entries_paused; /* the reasons, as bits */
static PyObject *words_name, *algorithm_name; /* the slots of Key, interned */

#ifdef Py_GIL_DISABLED
static PyMutex learning;
#define LOCK PyMutex_Lock(&learning)
#define UNLOCK PyMutex_Unlock(&learning)
#define PLANS(e) _Py_atomic_load_int_acquire(&(e)->count)
#define PUBLISH(e, n) _Py_atomic_store_int_release(&(e)->count, n)
#else
#define LOCK (void)0
#define UNLOCK (void)0
#define PLANS(e) ((e)->count)
#define PUBLISH(e, n) ((e)->count = (n))
#endif

/* Bind positional and keyword arguments; 0 if they do not fit, which Python reports. */
static int bind(const entry *e, PyObject *args, PyObject *kwargs, PyObject **values) {
    Py_ssize_t given = PyTuple_Size(args), at = 0;
    if (given > e->positional) return 0;
    for (Py_ssize_t i = 0; i < given; i++) values[i] = PyTuple_GetItem(args, i);
    PyObject *name, *value;
    while (PyDict_Next(kwargs, &at, &name, &value)) {
        int i = 0;
        while (i < e->arguments && e->names[i] != name) i++;
        if (i == e->arguments || values[i]) return 0;
        values[i] = value;
    }
    return 1;
}

/* The words of a single key in host memory, as a borrowed array, and its algorithm, a new reference; NULL if the
 * object is something else. A borrowed array, because the key that is an argument holds it. */
static PyArrayObject *single_key(PyObject *key, PyObject *type, PyObject **algorithm) {
    if (!key || (PyObject *)Py_TYPE(key) != type) return NULL;
    PyObject *words = PyObject_GetAttr(key, words_name);
    if (!words) return PyErr_Clear(), NULL;
    Py_DECREF(words);
    if (!PyArray_CheckExact(words) || PyArray_NDIM((PyArrayObject *)words) != 1) return NULL;
    *algorithm = PyObject_GetAttr(key, algorithm_name);
    if (!*algorithm) return PyErr_Clear(), NULL;
    return (PyArrayObject *)words;
}

/* The axes of a small sample from an int or a tuple of ints; -1 if it is something else. */
static int small_shape(PyObject *shape, npy_intp *sizes, size_t *count) {
    int is_tuple = PyTuple_CheckExact(shape);
    Py_ssize_t dims = is_tuple ? PyTuple_Size(shape) : 1;
    if (dims > MOST_SMALL_DIMS) return -1;
    *count = 1;
    for (Py_ssize_t d = 0; d < dims; d++) {
        PyObject *size = is_tuple ? PyTuple_GetItem(shape, d) : shape;
        int overflow = 0;
        long long n = PyLong_CheckExact(size) ? PyLong_AsLongLongAndOverflow(size, &overflow) : 0;
        if (overflow || n < 1 || n > GIL_WORTH || (*count *= (size_t)n) > GIL_WORTH) return -1;
        sizes[d] = (npy_intp)n;
    }
    return (int)dims;
}

/* A float, or an int that a double holds; 0 for other objects. */
static int exact_number(PyObject *object, double *number) {
    if (PyFloat_CheckExact(object) || Py_TYPE(object) == &PyDoubleArrType_Type) { /* numpy.float64 is a float */
        *number = PyFloat_AsDouble(object);
        return 1;
    }
    int overflow = 1;
    long long integer = PyLong_CheckExact(object) ? PyLong_AsLongLongAndOverflow(object, &overflow) : 0;
    *number = (double)integer;
    return !overflow && integer >= -LARGEST_EXACT && integer <= LARGEST_EXACT;
}

static int meets(const number_rule *r, double x) {
    if (r->flags & UNCHECKED) return 1;
    int above = r->flags & OPEN_LOW ? x > r->low : x >= r->low, below = r->flags & OPEN_HIGH ? x < r->high : x <= r->high;
    return above && below && (!(r->flags & WHOLE_NUMBER) || x == (double)(long long)x);
}

/* Numbers in the dtype of the computation; 0 if a rule refuses the number that was given or that the dtype holds. */
static int put_numbers(const plan *p, PyObject *const *values, uint64_t *numbers) {
    int itemsize = programs[p->program].itemsize, overflow = 0;
    long long integer, before = 0;
    for (const number_rule *r = p->rules, *end = r + p->rule_count; r < end; r++, numbers++) {
        PyObject *value = r->argument < 0 ? NULL : values[r->argument];
        if (r->flags & INTEGER) {
            integer = PyLong_CheckExact(value) ? PyLong_AsLongLongAndOverflow(value, &overflow) : 0;
            if (!PyLong_CheckExact(value) || overflow || integer < r->least || integer > r->most) return 0;
            *numbers = (uint64_t)integer - (r->flags & DIFFERENCE ? (uint64_t)before : 0);
            if (r->flags & DIFFERENCE && (integer <= before || (double)*numbers > r->high)) return 0;
            before = integer;
            continue;
        }
        if (r->flags & (INVERSE | CARRY)) {
            *numbers = r->flags & INVERSE ? UINT32_MAX / numbers[-1] : (1ull << 32) - numbers[-1] * numbers[-2];
            continue;
        }
        double x = r->low;
        if (value && !(exact_number(value, &x) && meets(r, x))) return 0;
        if (itemsize == 4) {
            float narrow = (float)x;
            if (value && !meets(r, narrow)) return 0;
            memcpy(numbers, &narrow, sizeof narrow);
        } else {
            memcpy(numbers, &x, sizeof x);
        }
    }
    return 1;
}

/* Whether the relation of a plan holds for its numbers. */
static int related(const plan *p, const uint64_t *numbers) {
    if (p->relation < 0) return 1;
    const program *q = &programs[p->relation];
    const stage *s = &stages[q->first_stage];
    char buffers[4][8 * PAD], result[8 * PAD];
    const void *in[4] = {NULL};
    void *out[1] = {result};
    for (int i = 0; s->inputs[i] >= 0; i++) {
        repeat((const char *)&numbers[s->inputs[i]], q->itemsize, PAD, buffers[i]);
        in[i] = buffers[i];
    }
    chosen->maps[s->map](1, in, out);
    return result[0] != 0;
}

static int read_plan(plan *p, PyObject *made) {
    PyObject *rules;
    if (!PyArg_ParseTuple(made, "iiiO!iO!", &p->program, &p->store, &p->number, &PyArrayDescr_Type, &p->result,
                          &p->relation, &PyTuple_Type, &rules))
        return -1;
    for (; p->rule_count < PyTuple_Size(rules); p->rule_count++) {
        number_rule *r = &p->rules[p->rule_count];
        if (!PyArg_ParseTuple(PyTuple_GetItem(rules, p->rule_count), "iiddLL", &r->argument, &r->flags, &r->low,
                              &r->high, &r->least, &r->most))
            return -1;
    }
    Py_INCREF((PyObject *)p->result);
    return 0;
}

/* Add a plan, or with NULL that there is none. Plans live as long as the process. */
static int add_plan(entry *e, PyObject *algorithm, PyObject *dtype, unsigned given, PyObject *made) {
    plan *p = PyMem_Malloc(sizeof *p);
    if (!p) return PyErr_NoMemory(), -1;
    *p = (plan){.algorithm = algorithm, .dtype = dtype, .given = given, .program = -1, .relation = -1};
    if (made && read_plan(p, made)) {
        PyMem_Free(p);
        return -1;
    }
    Py_INCREF(algorithm), Py_INCREF(dtype);
    e->plans[e->count] = p;
    PUBLISH(e, e->count + 1);
    return 0;
}

/* Make plans for these arguments. Returns 0 if there are none to look for, maybe with an exception. */
static int learn_plans(entry *e, PyObject *algorithm, PyObject *dtype, unsigned given) {
    PyObject *number = PyLong_FromUnsignedLong(given), *made = NULL;
    if (number) made = PyObject_CallFunctionObjArgs(e->learn, algorithm, dtype, number, NULL);
    Py_XDECREF(number);
    int learned = made && PyTuple_CheckExact(made);
    if (learned) {
        Py_ssize_t n = PyTuple_Size(made);
        LOCK;
        learned = e->count + (n ? n : 1) <= MOST_PLANS;
        if (!n && learned) learned = !add_plan(e, algorithm, dtype, given, NULL);
        for (Py_ssize_t i = 0; i < n && learned; i++)
            learned = !add_plan(e, algorithm, dtype, given, PyTuple_GetItem(made, i));
        UNLOCK;
    }
    Py_XDECREF(made);
    return learned;
}

/* The first plan that these arguments have and that takes their numbers, which it converts. */
static const plan *find_plan(entry *e, PyObject *algorithm, PyObject *dtype, PyObject *const *values, uint64_t *numbers) {
    unsigned given = 0;
    for (int i = 0; i < e->arguments; i++)
        if (values[i] && i != e->key && i != e->shape && i != e->dtype && i != e->out) given |= 1u << i;
    for (int known = 0;;) {
        for (int i = 0, n = PLANS(e); i < n; i++) {
            const plan *p = e->plans[i];
            if (p->algorithm == algorithm && p->dtype == dtype && p->given == given) {
                if (p->program < 0) return NULL;
                if (put_numbers(p, values, numbers) && related(p, numbers)) return p;
                known = 1;
            }
        }
        if (known || PLANS(e) == MOST_PLANS || !learn_plans(e, algorithm, dtype, given)) return NULL;
    }
}

/* A new array with the dtype of a plan. */
static PyArrayObject *new_array(const plan *p, int dims, npy_intp *sizes) {
    Py_INCREF((PyObject *)p->result);
    return (PyArrayObject *)PyArray_NewFromDescr(&PyArray_Type, p->result, dims, sizes, NULL, NULL, 0, NULL);
}

/* The array to write a sample to: `out` if it fits the shape, else a new one; NULL for a draw that Python must check. */
static PyArrayObject *target(const plan *p, PyObject *out, PyObject *shape, size_t *count) {
    npy_intp sizes[MOST_SMALL_DIMS];
    int dims = shape ? small_shape(shape, sizes, count) : 0;
    if (dims < 0) return NULL;
    if (!out) return new_array(p, dims, sizes);
    PyArrayObject *array = (PyArrayObject *)out;
    if (dims && (PyArray_NDIM(array) != dims || memcmp(PyArray_DIMS(array), sizes, (size_t)dims * sizeof *sizes)))
        return NULL;
    npy_intp size = PyArray_SIZE(array);
    if (PyArray_DESCR(array) != p->result || !PyArray_ISCARRAY(array) || size < 1 || size > GIL_WORTH) return NULL;
    *count = (size_t)size;
    Py_INCREF(out);
    return array;
}

/* The sample, or NULL: with an exception, or without one if Python must run the sampler. */
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
        uint64_t numbers[MOST_INPUTS];
        size_t count = 1;
        const plan *p = find_plan(e, algorithm, dtype, values, numbers);
        PyArrayObject *array = p ? target(p, out, shape, &count) : NULL;
        if (array) {
            job j;
            one_key(&j, p->program, p->store, p->number, PyArray_DATA(words), count, PyArray_DATA(array),
                    (int)PyArray_ITEMSIZE(array));
            for (int i = 0; i < j.program->parameters; i++)
                j.parameters[i].data = (const char *)&numbers[i], j.parameters[i].shape = ONE;
            result = (PyObject *)array;
            if (execute(&j, 0, count)) {
                PyErr_NoMemory();
                Py_CLEAR(result);
            }
        }
    }
    Py_DECREF(algorithm);
    return result;
}

/* The plan of a function of one key and an int from `least` to `most`, which are the only arguments. */
static const plan *plan_of_int(entry *e, PyObject *const *values, long long least, long long most,
                               PyArrayObject **words, PyObject **algorithm, long long *number) {
    int overflow = 0;
    for (int i = 2; i < e->arguments; i++)
        if (values[i]) return NULL;
    *number = values[1] && PyLong_CheckExact(values[1]) ? PyLong_AsLongLongAndOverflow(values[1], &overflow) : -1;
    if (!values[1] && e->fallback >= 0) *number = e->fallback;
    if (overflow || *number < least || *number > most) return NULL;
    *words = single_key(values[0], e->key_type, algorithm);
    PyObject *none[MOST_ARGUMENTS] = {NULL};
    return *words ? find_plan(e, *algorithm, Py_None, none, NULL) : NULL;
}

/* A key with these words, whose reference it takes. */
static PyObject *new_key(PyObject *key_type, PyObject *algorithm, PyArrayObject *words) {
    if (!words) return NULL;
    PyArray_CLEARFLAGS(words, NPY_ARRAY_WRITEABLE);
    PyObject *key = PyType_GenericAlloc((PyTypeObject *)key_type, 0);
    /* Not PyObject_SetAttr, which a key refuses. */
    if (key && (PyObject_GenericSetAttr(key, algorithm_name, algorithm) ||
                PyObject_GenericSetAttr(key, words_name, (PyObject *)words)))
        Py_CLEAR(key);
    Py_DECREF((PyObject *)words);
    return key;
}

static PyObject *split_key(entry *e, PyObject *const *values) {
    PyObject *algorithm = NULL, *key = NULL;
    PyArrayObject *words;
    long long n;
    const plan *p = plan_of_int(e, values, 1, GIL_WORTH, &words, &algorithm, &n);
    if (p) {
        npy_intp sizes[2] = {(npy_intp)n, PyArray_DIM(words, 0)};
        PyArrayObject *made = new_array(p, 2, sizes);
        if (made)
            consecutive(&algorithm_infos[p->number], &chosen->algorithms[p->number], PyArray_DATA(words), 0, (size_t)n,
                        PyArray_DATA(made));
        key = new_key(e->key_type, algorithm, made);
    }
    Py_XDECREF(algorithm);
    return key;
}

static PyObject *fold_in_key(entry *e, PyObject *const *values) {
    PyObject *algorithm = NULL, *key = NULL;
    PyArrayObject *words;
    long long index;
    const plan *p = plan_of_int(e, values, 0, LLONG_MAX, &words, &algorithm, &index);
    if (p) {
        const algorithm_info *a = &algorithm_infos[p->number];
        uint64_t low = (uint64_t)index, high = 0;
        if (a->word_bytes == 4) high = low >> 32, low &= 0xffffffffu;
        PyArrayObject *made = new_array(p, 1, PyArray_DIMS(words));
        if (made) one_child(a, &chosen->algorithms[p->number], PyArray_DATA(words), low, high, 1, PyArray_DATA(made));
        key = new_key(e->key_type, algorithm, made);
    }
    Py_XDECREF(algorithm);
    return key;
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

static PyObject *permute_range(entry *e, PyObject *const *values) {
    PyObject *algorithm = NULL, *order = NULL;
    PyArrayObject *words;
    long long n;
    const plan *p = plan_of_int(e, values, 2, SHORT_ORDER, &words, &algorithm, &n);
    if (p) {
        npy_intp size = (npy_intp)n;
        order = (PyObject *)new_array(p, 1, &size);
        if (order) {
            void *out = PyArray_DATA((PyArrayObject *)order);
            PyThreadState *state = n < GIL_WORTH ? NULL : PyEval_SaveThread();
            int no_memory = put_orders(p->number, PyArray_DATA(words), 1, (size_t)n, out);
            if (state) PyEval_RestoreThread(state);
            if (no_memory) PyErr_NoMemory(), Py_DECREF(order), order = NULL;
        }
    }
    Py_XDECREF(algorithm);
    return order;
}

static const struct {
    const char *name;
    PyObject *(*call)(entry *, PyObject *const *);
} kinds[] = {{"sample", draw_sample}, {"split", split_key}, {"fold_in", fold_in_key}, {"permutation", permute_range}};

#define ENTRY_NAME "keyrng entry"

/* call_entry(args, kwargs): the result, or None if Python must run the function */
static PyObject *call_entry(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    if (n != 2 || !PyTuple_CheckExact(args[0]) || !PyDict_CheckExact(args[1]))
        return PyErr_Format(PyExc_TypeError, "an entry takes a tuple and a dict");
    if (entries_paused) Py_RETURN_NONE;
    entry *e = PyCapsule_GetPointer(self, ENTRY_NAME);
    if (!e) return NULL;
    PyObject *values[MOST_ARGUMENTS] = {NULL}, *result = NULL;
    if (bind(e, args[0], args[1], values)) result = e->call(e, values);
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
    int positional, fallback, kind = 0;
    const char *kind_name;
    if (!PyArg_ParseTuple(args, "sOO!iiO", &kind_name, &type, &PyTuple_Type, &names, &positional, &fallback, &learn))
        return NULL;
    while (kind < COUNT(kinds) && strcmp(kinds[kind].name, kind_name)) kind++;
    if (kind == COUNT(kinds)) return PyErr_Format(PyExc_ValueError, "no entries of kind %s", kind_name);
    Py_ssize_t n = PyTuple_Size(names);
    if (n > MOST_ARGUMENTS) return PyErr_Format(PyExc_ValueError, "a sampler has at most %d arguments", MOST_ARGUMENTS);
    entry *e = PyMem_Malloc(sizeof *e);
    if (!e) return PyErr_NoMemory();
    *e = (entry){.call = kinds[kind].call, .key_type = type, .positional = positional, .arguments = (int)n,
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
    if (e->key != 0 || (e->call == draw_sample && e->shape < 0)) {
        PyMem_Free(e);
        return PyErr_Format(PyExc_ValueError, "the first argument must be key, and a sampler must have a shape");
    }
    Py_INCREF(learn), Py_INCREF(type);
    PyObject *capsule = PyCapsule_New(e, ENTRY_NAME, NULL);
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

static int start_entries(void) {
    if (!words_name) words_name = PyUnicode_InternFromString("_words");
    if (!algorithm_name) algorithm_name = PyUnicode_InternFromString("_algorithm");
    return !words_name || !algorithm_name;
}
