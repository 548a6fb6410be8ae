/* Plans: kernels, and rules for the numbers that their parameters take. Part of module.c.
 *
 * keyrng/_sampling/sampler.py makes plans and describes them.
 */
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
