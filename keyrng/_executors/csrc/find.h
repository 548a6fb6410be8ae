/* Entries of samplers, and the plans that they find for arguments. Part of module.c. */
#define MOST_ARGUMENTS 16
#define MOST_PLANS 1024 /* of all algorithms, dtypes and sets of arguments together */
#define MOST_MADE 8     /* of one of each */
#define MOST_ELEMENTS (PY_SSIZE_T_MAX / 32)

typedef struct {
    const struct kind *kind;
    PyObject *key_type;
    PyObject *names[MOST_ARGUMENTS]; /* interned */
    int positional, arguments;
    int fallback; /* an int: of the second argument, or -1; of a sample, whether its shape is that of the parameters */
    int key, shape, dtype, out; /* positions; -1 if the sampler has no such argument */
    PyObject *learn; /* learn(algorithm, dtype, given): a tuple of plans; False if the dtype may not be kept */
    int count;
    plan *plans[MOST_PLANS];
} entry;

static int entries_paused; /* the reasons, as bits */
static Py_ssize_t words_at, algorithm_at; /* where a key has its slots: reading an attribute takes ten times as long */

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

static PyObject **slot(PyObject *key, Py_ssize_t offset) { return (PyObject **)((char *)key + offset); }

/* Find the slots of the type of keys, the same for all entries. */
static int find_slots(PyObject *type) {
    for (PyMemberDef *m = PyType_GetSlot((PyTypeObject *)type, Py_tp_members); m && m->name; m++) {
        if (!strcmp(m->name, "_words")) words_at = m->offset;
        if (!strcmp(m->name, "_algorithm")) algorithm_at = m->offset;
    }
    return words_at && algorithm_at ? 0 : (PyErr_Format(PyExc_TypeError, "keys must have slots"), -1);
}

/* The words of a single key in host memory and its algorithm, which the key holds; NULL if it is something else. */
static PyArrayObject *single_key(PyObject *key, PyObject *type, PyObject **algorithm) {
    if (!key || (PyObject *)Py_TYPE(key) != type) return NULL;
    PyObject *words = *slot(key, words_at);
    *algorithm = *slot(key, algorithm_at);
    if (!words || !*algorithm || !PyArray_CheckExact(words) || PyArray_NDIM((PyArrayObject *)words) != 1) return NULL;
    return (PyArrayObject *)words;
}

/* Add a plan, or with NULL that there is none. Plans live as long as the process. */
static int add_plan(entry *e, PyObject *algorithm, PyObject *dtype, unsigned given, PyObject *made) {
    plan *p = PyMem_Malloc(sizeof *p);
    if (!p) return PyErr_NoMemory(), -1;
    *p = (plan){.algorithm = algorithm, .dtype = dtype, .given = given, .program = -1, .relation = -1, .more = {-1, -1}};
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

/* The arguments besides key, shape, dtype and out that are given, as bits. */
static unsigned given_arguments(const entry *e, PyObject *const *values) {
    unsigned given = 0;
    for (int i = 0; i < e->arguments; i++)
        if (values[i] && i != e->key && i != e->shape && i != e->dtype && i != e->out) given |= 1u << i;
    return given;
}

/* The first plan that these arguments have and that takes their numbers, which it converts. */
static const plan *find_plan(entry *e, PyObject *algorithm, PyObject *dtype, PyObject *const *values, converted *to) {
    unsigned given = given_arguments(e, values);
    for (int known = 0;;) {
        for (int i = 0, n = PLANS(e); i < n; i++) {
            const plan *p = e->plans[i];
            if (p->algorithm == algorithm && p->dtype == dtype && p->given == given) {
                if (p->program < 0) return NULL;
                if (put_numbers(p, values, to) && related(p->relation, to->numbers)) return p;
                known = 1;
            }
        }
        if (known || PLANS(e) > MOST_PLANS - MOST_MADE || !learn_plans(e, algorithm, dtype, given)) return NULL;
    }
}

/* A new array with the dtype of a plan. */
static PyArrayObject *new_array(const plan *p, int dims, npy_intp *sizes) {
    Py_INCREF((PyObject *)p->result);
    return (PyArrayObject *)PyArray_NewFromDescr(&PyArray_Type, p->result, dims, sizes, NULL, NULL, 0, NULL);
}
