/* Plans: kernels, and rules for the numbers that their parameters take. Part of module.c.
 *
 * keyrng/_sampling/plan.py makes plans and describes them.
 */
#define LARGEST_EXACT (1ll << 53)

#define MOST_ROW 256   /* numbers along an axis of an argument, or of a matrix */
#define MOST_ROWS 2048 /* numbers of several rows that are converted */

/* Elements of a sample of several steps: Python, which takes up to 400 us more, needs less memory. */
#define MOST_IN_STEPS (1 << 18)

enum { OPEN_LOW = 1, OPEN_HIGH = 2, WHOLE_NUMBER = 4, UNCHECKED = 8, INTEGER = 16, DIFFERENCE = 32, DIVISOR = 64, ROW = 256, MATRIX = 512, LARGEST = 1024, TRUTH = 2048,
       FOR_ARRAYS = 4096, ROWS = 8192 };

/* How to find a kernel's parameter: a float from `low` to `high`, or a word, for an integer from `least` to `most`, or
 * for its difference, from 1 to `high`, to the integer of the rule before. DIVISORs, numbered by `least`, follow it.
 * A ROW has numbers along one axis, with ROWS along the last axis of an array, a MATRIX along two; LARGEST is a rule for
 * the largest of each row before. TRUTH is a bool, True if `low` is not 0, and gives 1 or 0. With FOR_ARRAYS, a float can be an array. */
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
    int more[2];    /* programs of later steps, or -1; see steps.h */
    PyObject *call; /* a Python function that a step calls, or NULL */
} plan;

/* Numbers along the last axis of an argument; `count` rows of them, along other axes. */
typedef struct {
    size_t n, count;
    int dims;
    npy_intp sizes[MOST_SMALL_DIMS];
    double least_largest, largest; /* of the largest numbers of the rows */
    const void *data;              /* `values`, or the memory of an array */
    double values[MOST_ROWS];      /* floats, if the computation is in float32 and it is not a matrix */
} row;

/* The parameters of a plan, in the dtype of the computation. */
typedef struct {
    uint64_t numbers[MOST_INPUTS];
    int row_count;
    row rows[2];
} converted;

/* Words for the remainders of randint.py, each computed from those before it, first from a span. */
enum { INVERSE, CARRY, MULTIPLE, INVERSE_OF_MULTIPLE, CARRY_OF_MULTIPLE, RATIO, SHARE };

static uint64_t float_word(double x) {
    uint64_t word;
    memcpy(&word, &x, sizeof word);
    return word;
}

static uint64_t divisor_word(long long which, const uint64_t *end) {
    uint64_t last = end[-1], carry;
    switch (which) {
    case INVERSE: return UINT32_MAX / last;
    case CARRY: return (1ull << 32) - last * end[-2];
    case MULTIPLE: return (1ull << 49) / last * last;
    case INVERSE_OF_MULTIPLE: return float_word(0x1p12 / (double)last);
    case CARRY_OF_MULTIPLE:
        carry = (UINT64_MAX % end[-2] + 1) % end[-2];
        return 2 * carry > end[-2] ? carry - end[-2] : carry;
    case RATIO: return float_word((double)(int64_t)last / (double)end[-3]);
    default: return float_word(1.0 / (double)end[-5]);
    }
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

/* A number in the dtype of the computation; 0 if a rule refuses it as it was given or as the dtype holds it. */
static int put_number(const number_rule *r, double x, int itemsize, void *to) {
    float narrow = (float)x;
    if (!meets(r, x) || (itemsize == 4 && !meets(r, narrow))) return 0;
    if (itemsize == 4) memcpy(to, &narrow, sizeof narrow);
    else memcpy(to, &x, sizeof x);
    return 1;
}

/* The number of an argument, or with NULL the constant of the rule, as `put_number` does; 0 for other objects. */
static int put_float(const number_rule *r, PyObject *value, int itemsize, void *to) {
    const number_rule constant = {.flags = UNCHECKED};
    double x = r->low;
    return (!value || exact_number(value, &x)) && put_number(value ? r : &constant, x, itemsize, to);
}

/* The numbers of an array in C order of floats, or of integers that doubles hold; 0 for other arrays. */
static int read_array(PyArrayObject *array, double *to) {
    const void *data = PyArray_DATA(array);
    int type = PyArray_TYPE(array), bytes = PyArray_ISSIGNED(array) ? (int)PyArray_ITEMSIZE(array) : 0;
    if (!PyArray_ISCARRAY_RO(array)) return 0;
    for (npy_intp i = 0, size = PyArray_SIZE(array); i < size; i++) {
        if (type == NPY_DOUBLE) to[i] = ((const double *)data)[i];
        else if (type == NPY_FLOAT) to[i] = ((const float *)data)[i];
        else if (bytes == 4) to[i] = ((const int32_t *)data)[i];
        else if (bytes == 8) to[i] = (double)((const int64_t *)data)[i];
        else return 0;
        if (bytes && (to[i] < -(double)LARGEST_EXACT || to[i] > (double)LARGEST_EXACT)) return 0;
    }
    return 1;
}

/* The numbers of a list, a tuple or an array with so many axes of equal length, which is returned; 0 for other objects
 * and other numbers of them. */
static size_t read_numbers(PyObject *object, int axes, size_t most, double *to) {
    if (PyArray_CheckExact(object)) {
        PyArrayObject *array = (PyArrayObject *)object;
        npy_intp n = PyArray_NDIM(array) == axes ? PyArray_DIM(array, 0) : 0;
        int fits = n > 0 && n <= MOST_ROW && PyArray_DIM(array, axes - 1) == n && (size_t)PyArray_SIZE(array) <= most;
        return fits && read_array(array, to) ? (size_t)n : 0;
    }
    if (!PyList_CheckExact(object) && !PyTuple_CheckExact(object)) return 0;
    PyObject *items = PySequence_Tuple(object); /* a list can change meanwhile */
    if (!items) return PyErr_Clear(), 0;
    size_t n = (size_t)PyTuple_Size(items), i = 0;
    if (n <= MOST_ROW && n * (axes == 2 ? n : 1) <= most)
        for (; i < n; i++) {
            PyObject *item = PyTuple_GetItem(items, (Py_ssize_t)i);
            if (axes == 1 ? !exact_number(item, to + i) : read_numbers(item, 1, n, to + i * n) != n) break;
        }
    Py_DECREF(items);
    return i == n ? n : 0;
}

/* Set the sizes of the rows of an array with more than one axis; returns 0 for other objects. */
static int find_rows(PyObject *object, row *of) {
    if (!PyArray_CheckExact(object)) return 0;
    PyArrayObject *array = (PyArrayObject *)object;
    int dims = PyArray_NDIM(array) - 1;
    npy_intp size = PyArray_SIZE(array), n = dims > 0 ? PyArray_DIM(array, dims) : 0;
    if (dims > MOST_SMALL_DIMS || n < 1 || n > MOST_ROW || size < n || size > MOST_IN_STEPS) return 0;
    memcpy(of->sizes, PyArray_DIMS(array), (size_t)dims * sizeof *of->sizes);
    of->dims = dims, of->n = (size_t)n, of->count = (size_t)(size / n);
    return 1;
}

static void note_largest(row *of, double largest) {
    of->largest = largest > of->largest ? largest : of->largest;
    of->least_largest = largest < of->least_largest ? largest : of->least_largest;
}

/* Use the rows of an array of the dtype of the computation where they are; returns 0 if a rule refuses a number. */
static int use_rows(const number_rule *r, PyArrayObject *array, row *of) {
    int narrow = PyArray_TYPE(array) == NPY_FLOAT;
    const float *floats = of->data = PyArray_DATA(array);
    const double *doubles = of->data;
    for (size_t first = 0; first < of->count * of->n; first += of->n) {
        double largest = -INFINITY;
        for (size_t i = first; i < first + of->n; i++) {
            double x = narrow ? floats[i] : doubles[i];
            if (!meets(r, x)) return 0;
            largest = x > largest ? x : largest;
        }
        note_largest(of, largest);
    }
    return 1;
}

static int put_row(const number_rule *r, PyObject *object, int itemsize, row *to) {
    double read[MOST_ROWS];
    int axes = r->flags & MATRIX ? 2 : 1;
    to->dims = 0, to->count = 1, to->data = to->values, to->largest = -INFINITY, to->least_largest = INFINITY;
    if (r->flags & ROWS && find_rows(object, to)) {
        PyArrayObject *array = (PyArrayObject *)object;
        if (PyArray_ISCARRAY_RO(array) && PyArray_TYPE(array) == (itemsize == 4 ? NPY_FLOAT : NPY_DOUBLE))
            return use_rows(r, array, to);
        if (PyArray_SIZE(array) > MOST_ROWS || !read_array(array, read)) return 0;
    } else if (!(to->n = read_numbers(object, axes, MOST_ROW, read))) {
        return 0;
    }
    size_t n = to->n, size = (axes == 2 ? n : to->count) * n;
    for (size_t first = 0; first < size; first += n) {
        double largest = read[first];
        for (size_t i = first; i < first + n; i++) {
            if (!put_number(r, read[i], itemsize, (char *)to->values + i * (size_t)itemsize)) return 0;
            largest = read[i] > largest ? read[i] : largest;
        }
        note_largest(to, largest);
    }
    if (axes == 2) memcpy(to->values, read, size * sizeof *read);
    return 1;
}

/* The parameters of a plan; 0 if a rule refuses one. */
static int put_numbers(const plan *p, PyObject *const *values, converted *to) {
    int itemsize = programs[p->program].itemsize, overflow = 0;
    long long integer, before = 0;
    uint64_t *numbers = to->numbers;
    row *next = to->rows;
    for (const number_rule *r = p->rules, *end = r + p->rule_count; r < end; r++, numbers++) {
        PyObject *value = r->argument < 0 ? NULL : values[r->argument];
        if (r->flags & (ROW | MATRIX)) {
            if (!put_row(r, value, itemsize, next++)) return 0;
            continue;
        }
        if (r->flags & LARGEST) {
            if (!meets(r, next[-1].largest) || !meets(r, next[-1].least_largest)) return 0;
            continue;
        }
        if (r->flags & INTEGER) {
            integer = PyLong_CheckExact(value) ? PyLong_AsLongLongAndOverflow(value, &overflow) : 0;
            if (!PyLong_CheckExact(value) || overflow || integer < r->least || integer > r->most) return 0;
            *numbers = (uint64_t)integer - (r->flags & DIFFERENCE ? (uint64_t)before : 0);
            if (r->flags & DIFFERENCE && (integer <= before || (double)*numbers > r->high)) return 0;
            before = integer;
            continue;
        }
        if (r->flags & DIVISOR) {
            *numbers = divisor_word(r->least, numbers);
            continue;
        }
        if (r->flags & TRUTH) {
            if (value && value != (r->low ? Py_True : Py_False)) return 0;
            *numbers = r->low != 0;
            continue;
        }
        if (!put_float(r, value, itemsize, numbers)) return 0;
    }
    to->row_count = (int)(next - to->rows);
    return 1;
}

/* Whether a relation, a program without words, holds for numbers. */
static int related(int relation, const uint64_t *numbers) {
    if (relation < 0) return 1;
    const program *q = &programs[relation];
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
    if (!PyArg_ParseTuple(made, "iiiO!iO!|iiO", &p->program, &p->store, &p->number, &PyArrayDescr_Type, &p->result,
                          &p->relation, &PyTuple_Type, &rules, &p->more[0], &p->more[1], &p->call))
        return -1;
    if (PyTuple_Size(rules) > MOST_INPUTS) return PyErr_Format(PyExc_ValueError, "a plan has too many rules"), -1;
    for (; p->rule_count < PyTuple_Size(rules); p->rule_count++) {
        number_rule *r = &p->rules[p->rule_count];
        if (!PyArg_ParseTuple(PyTuple_GetItem(rules, p->rule_count), "iiddLL", &r->argument, &r->flags, &r->low,
                              &r->high, &r->least, &r->most))
            return -1;
    }
    Py_INCREF((PyObject *)p->result), Py_XINCREF(p->call);
    return 0;
}
