/* Samples of samplers that take several steps: draws of programs, with sums or searches between them. Part of module.c.
 *
 * The steps are those of the samplers in Python, in the same order of operations, and the tests compare both. Rules in
 * the plans exclude parameters that need further steps.
 */
enum { FAILED = 1, IN_PYTHON = 2 }; /* with an exception; without one, so that Python draws the sample */

static int no_memory(void) { return PyErr_NoMemory(), FAILED; }

typedef struct {
    int (*draw)(const plan *p, const char *words, const converted *x, size_t count, PyArrayObject *result);
    enum { NO_AXIS, NEW_AXIS, GIVEN_AXIS } axis; /* of the row in the result: none, one after the shape, its last one */
    int dtype_of_arrays; /* whether the dtype is by default the widest of the arguments that are arrays of floats */
} steps;

static PyObject *widest(PyObject *const *values, int n) {
    PyObject *dtype = Py_None;
    for (int i = 0, width = 0; i < n; i++)
        if (values[i] && PyArray_CheckExact(values[i])) {
            PyArrayObject *array = (PyArrayObject *)values[i];
            if (!PyArray_ISFLOAT(array) || PyArray_ITEMSIZE(array) <= width) continue;
            dtype = (PyObject *)PyArray_DESCR(array), width = (int)PyArray_ITEMSIZE(array);
        }
    return dtype;
}

/* Add the axis of the row to the shape of a result, of which `count` becomes the number of rows; or without such an axis,
 * use the other axes of the rows, which may be the last ones of a given shape. 0 if the shape does not fit. */
static int put_row_shape(const steps *s, const converted *x, int given, npy_intp *sizes, int *dims, size_t *count) {
    const row *r = &x->rows[0];
    size_t n = r->n;
    if (s->axis == NO_AXIS) {
        int before = x->row_count ? *dims - r->dims : 0;
        if (!x->row_count || !r->dims) return 1;
        if (given) return before >= 0 && !memcmp(sizes + before, r->sizes, (size_t)r->dims * sizeof *sizes);
        *dims = r->dims, *count = r->count;
        memcpy(sizes, r->sizes, (size_t)r->dims * sizeof *sizes);
        return 1;
    }
    if (s->axis == NEW_AXIS || !given) sizes[(*dims)++] = (npy_intp)n;
    else if (!*dims || (size_t)sizes[*dims - 1] != n) return 0;
    else *count /= n;
    return *count * n <= MOST_IN_STEPS;
}

/* Draw with parameters that have one value for each of the elements, or with one for all of them. */
static int draw(const plan *p, int program, int store, const char *words, size_t count, int each,
                const void *const *parameters, void *out, size_t size) {
    job j;
    one_key(&j, program, store, p->number, words, count, out, (int)size);
    for (int i = 0; i < j.program->parameters; i++)
        j.parameters[i].data = parameters[i], j.parameters[i].shape = each ? WHOLE : ONE;
    return run_job(&j, 0);
}

/* The words of a child of a key, as those of fold_in. */
static void fold(const plan *p, const char *words, uint64_t index, char *child) {
    const algorithm_info *a = &algorithm_infos[p->number];
    uint64_t high = a->word_bytes == 4 ? index >> 32 : 0, low = a->word_bytes == 4 ? index & 0xffffffffu : index;
    one_child(a, &chosen->algorithms[p->number], words, low, high, 1, child);
}

/* Change rows in place, by put_affine or put_shares. */
static int change_rows(range_fn change, const short_rows *r, size_t count) {
    int threads = prepared_threads(count * r->size);
    return threads < 0 || run_ranges(change, r, count, CHUNK, 300 * r->size * r->size, threads);
}

static void repeat_row(const row *x, size_t size, size_t count, char *to) {
    for (size_t i = 0; i < count; i++) memcpy(to + i * x->n * size, x->values, x->n * size);
}

#define FLOAT_STEPS(T)                                                                                                 \
    static void subtract_largest_##T(T *x, size_t rows, size_t n) {                                                    \
        for (T *end = x + rows * n; x < end; x += n) {                                                                 \
            T largest = x[0];                                                                                          \
            for (size_t i = 1; i < n; i++) largest = x[i] > largest ? x[i] : largest;                                  \
            for (size_t i = 0; i < n; i++) x[i] -= largest;                                                            \
        }                                                                                                              \
    }                                                                                                                  \
    static void find_largest_sum_##T(const T *x, const row *add, size_t first, size_t stop, int32_t *places) {         \
        const T *y = (const T *)add->data, *end = y + add->count * add->n;                                             \
        size_t n = add->n;                                                                                             \
        x += first * n, y += first % add->count * n;                                                                   \
        for (size_t r = first; r < stop; r++, x += n) {                                                                \
            T largest = x[0] + y[0];                                                                                   \
            places[r] = 0;                                                                                             \
            for (size_t i = 1; i < n; i++) {                                                                           \
                T sum = x[i] + y[i];                                                                                   \
                if (sum > largest) largest = sum, places[r] = (int32_t)i;                                              \
            }                                                                                                          \
            y = y + n < end ? y + n : (const T *)add->data;                                                            \
        }                                                                                                              \
    }
FLOAT_STEPS(float)
FLOAT_STEPS(double)

/* Places of the largest sums of each row and a row of `add`, which has as many rows or fewer. */
typedef struct {
    const void *x;
    const row *add;
    size_t size;
    int32_t *places;
} sums;

static int find_largest_sums(const void *of, size_t first, size_t stop) {
    const sums *s = of;
    if (s->size == 4) find_largest_sum_float(s->x, s->add, first, stop, s->places);
    else find_largest_sum_double(s->x, s->add, first, stop, s->places);
    return 0;
}

/* Shares of gamma variates: of their factors if `more` has no programs, and else times the power of a boost. */
static int draw_dirichlet(const plan *p, const char *words, const converted *x, size_t count, PyArrayObject *result) {
    size_t n = x->rows[0].n, total = count * n, size = (size_t)PyArray_ITEMSIZE(result);
    char *out = PyArray_DATA(result), *alpha = malloc(2 * total * size);
    if (!alpha) return no_memory();
    char *boost = alpha + total * size;
    const void *shapes[] = {alpha}, *parts[] = {out, boost};
    repeat_row(&x->rows[0], size, count, alpha);
    int failed = draw(p, p->program, -1, words, total, 1, shapes, out, size);
    if (p->more[0] >= 0 && !failed) {
        failed = draw(p, p->more[0], -1, words, total, 1, shapes, boost, size);
        if (size == 4) subtract_largest_float((float *)boost, count, n);
        else subtract_largest_double((double *)boost, count, n);
        failed = failed || draw(p, p->more[1], -1, words, total, 1, parts, out, size);
    }
    free(alpha);
    return failed || change_rows(put_shares, &(short_rows){NULL, NULL, n, n * size, size == 8, out}, count);
}

/* The sums for draws that a race leaves undecided. */
static int decide(const plan *p, const char *words, const row *logits, size_t count, int32_t *places) {
    double gumbels[MOST_ROW]; /* floats, if the computation is in float32 */
    size_t n = logits->n, size = (size_t)programs[p->program].output_size;
    job j;
    one_key(&j, p->program, -1, p->number, words, count * n, (char *)gumbels, (int)size);
    for (size_t i = 0; i < count; i++) {
        if (places[i] >= 0) continue;
        j.start = i * n, j.count = n;
        if (execute(&j, 0, n)) return no_memory();
        find_largest_sums(&(sums){gumbels, logits, size, places + i}, 0, 1);
    }
    return 0;
}

/* Draws as those of gumbel_race.py. */
static int draw_by_race(const plan *p, const char *words, const row *logits, size_t count, int32_t *places) {
    size_t n = logits->n, tile = RACE / n < count ? RACE / n : count;
    int wide = programs[p->program].output_size == 8, threads = prepared_threads(count * n);
    if (threads < 0) return FAILED;
    float *weights = malloc(tile * n * sizeof *weights);
    if (!weights) return no_memory();
    for (size_t i = 0; i < n; i++)
        weights[i] = (float)exp(logits->largest - (wide ? ((const double *)logits->data)[i] : ((const float *)logits->data)[i]));
    for (size_t i = n; i < tile * n; i++) weights[i] = weights[i - n];
    race r = {.size = n, .tile = tile, .draws = count, .ratio = DECISIVE, .places = places};
    int failed = run_race(&r, p->more[0], p->number, words, weights, count, threads);
    free(weights);
    return failed ? FAILED : decide(p, words, logits, count, places);
}

static int draw_categorical(const plan *p, const char *words, const converted *x, size_t count, PyArrayObject *result) {
    const row *logits = &x->rows[0];
    size_t n = logits->n, size = (size_t)programs[p->program].output_size;
    if (count * n > MOST_IN_STEPS) return IN_PYTHON;
    if (count * n >= RACE_WORTH && p->more[0] >= 0 && logits->count == 1)
        return draw_by_race(p, words, logits, count, PyArray_DATA(result));
    char *gumbels = malloc(count * n * size);
    if (!gumbels) return no_memory();
    sums s = {gumbels, logits, size, PyArray_DATA(result)};
    int threads = draw(p, p->program, -1, words, count * n, 1, NULL, gumbels, size) ? -1 : prepared_threads(count * n);
    int failed = threads < 0 || run_ranges(find_largest_sums, &s, count, 1, 1500 * n, threads);
    free(gumbels);
    return failed;
}

static void put_columns(const double *matrix, size_t n, size_t size, void *columns) {
    for (size_t i = 0; i < n * n; i++) {
        double x = matrix[i % n * n + i / n];
        if (size == 4) ((float *)columns)[i] = (float)x;
        else ((double *)columns)[i] = x;
    }
}

/* The factor of the matrix, a lower triangle, is the result of a function in Python. Its errors are left to Python. */
static int draw_multivariate_normal(const plan *p, const char *words, const converted *x, size_t count,
                                    PyArrayObject *result) {
    const row *mean = &x->rows[0], *matrix = &x->rows[1];
    size_t n = mean->n, size = (size_t)PyArray_ITEMSIZE(result);
    npy_intp sizes[2] = {(npy_intp)n, (npy_intp)n};
    if (matrix->n != n) return IN_PYTHON;
    PyArrayObject *given = (PyArrayObject *)PyArray_SimpleNew(2, sizes, NPY_DOUBLE);
    if (!given) return FAILED;
    double *square = PyArray_DATA(given);
    int status = 0;
    memcpy(square, matrix->values, n * n * sizeof *square);
    for (size_t i = 0; i < n * n; i++) status = square[i] == square[i % n * n + i / n] ? status : IN_PYTHON;
    PyObject *made = status ? NULL : PyObject_CallFunctionObjArgs(p->call, given, NULL);
    Py_DECREF((PyObject *)given);
    if (!made && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_Exception)) PyErr_Clear();
    if (!made) return IN_PYTHON;
    PyArrayObject *factor = (PyArrayObject *)made;
    if (!PyArray_CheckExact(made) || PyArray_TYPE(factor) != NPY_DOUBLE || !PyArray_ISCARRAY_RO(factor) ||
        PyArray_SIZE(factor) != (npy_intp)(n * n))
        status = IN_PYTHON;
    if (!status) status = draw(p, p->program, -1, words, count * n, 1, NULL, PyArray_DATA(result), size);
    if (!status) {
        double columns[MOST_ROW]; /* floats, if the result is */
        put_columns(PyArray_DATA(factor), n, size, columns);
        short_rows rows = {(char *)columns, (const char *)mean->values, n, n * size, size == 8, PyArray_DATA(result)};
        status = change_rows(put_affine, &rows, count);
    }
    Py_DECREF(made);
    return status;
}

/* Rows of counts that sum to a total, drawn class after class, each by a child of the key. */
typedef struct {
    const plan *p;
    const row *of; /* a number for each class */
    size_t count;
    double left[MOST_ROW + 1];                  /* sums of the numbers of a class and those after it */
    double *rest, *drawn, *others, *parameters; /* a number for each row: what is left of its total, its next count */
} classes;

/* Draw a count for each row. The faster program draws the same if the relation of `more` holds for `hardest`. */
static int draw_class(const classes *c, const char *key, const double hardest[4], const void *const *parameters) {
    const plan *p = c->p;
    uint64_t numbers[4];
    memcpy(numbers, hardest, sizeof numbers);
    int program = related(p->more[1], numbers) ? p->more[0] : p->program;
    return draw(p, program, p->store, key, c->count, 1, parameters, c->drawn, sizeof *c->drawn);
}

static double most_left(const classes *c) {
    double most = 0;
    for (size_t r = 0; r < c->count; r++) most = c->rest[r] > most ? c->rest[r] : most;
    return most;
}

static void put_count(double x, PyArrayObject *result, size_t place) {
    char *to = (char *)PyArray_DATA(result) + place * (size_t)PyArray_ITEMSIZE(result);
    int wide = PyArray_ITEMSIZE(result) == 8, whole = PyArray_ISINTEGER(result);
    if (whole && wide) *(int64_t *)to = (int64_t)x;
    else if (whole) *(int32_t *)to = (int32_t)x;
    else if (wide) *(double *)to = x;
    else *(float *)to = (float)x;
}

static int draw_classes(const plan *p, const char *words, const row *of, double total, size_t count,
                        int (*draw_one)(const classes *, size_t i, const char *key), PyArrayObject *result) {
    const algorithm_info *a = &algorithm_infos[p->number];
    size_t n = of->n, bytes = (size_t)(a->word_bytes * a->key_words);
    char keys[MOST_ROW * 32];
    double *memory = malloc(4 * count * sizeof *memory);
    if (!memory) return no_memory();
    classes c = {p, of, count, {0}, memory, memory + count, memory + 2 * count, memory + 3 * count};
    int status = 0;
    consecutive(a, &chosen->algorithms[p->number], words, 0, n, keys);
    for (size_t i = n; i--;) c.left[i] = i + 1 == n ? of->values[i] : of->values[i] + c.left[i + 1];
    for (size_t r = 0; r < count; r++) c.rest[r] = total;
    for (size_t i = 0; i < n && !status; i++) {
        status = draw_one(&c, i, keys + i * bytes);
        for (size_t r = 0; r < count && !status; r++) put_count(c.drawn[r], result, r * n + i), c.rest[r] -= c.drawn[r];
    }
    free(memory);
    return status;
}

/* The most draws are the hardest. */
static int draw_binomial(const classes *c, size_t i, const char *key) {
    double chance = c->left[i] > 0 ? c->of->values[i] / c->left[i] : 0;
    if (!(chance > 0 && chance < 1)) { /* then the variate is 0 or all that are left */
        for (size_t r = 0; r < c->count; r++) c->drawn[r] = chance > 0 ? c->rest[r] + 0.0 : 0; /* 0, not -0 */
        return 0;
    }
    double hardest[4] = {most_left(c), chance};
    for (size_t r = 0; r < c->count; r++) c->parameters[r] = chance;
    const void *parameters[] = {c->rest, c->parameters};
    return draw_class(c, key, hardest, parameters);
}

static int draw_multinomial(const plan *p, const char *words, const converted *x, size_t count, PyArrayObject *result) {
    double n;
    memcpy(&n, &x->numbers[0], sizeof n);
    return draw_classes(p, words, &x->rows[0], n, count, draw_binomial, result);
}

/* The most draws are the hardest, up to half of the items: the rest of more draws is smaller. */
static int draw_hypergeometric(const classes *c, size_t i, const char *key) {
    double good = c->of->values[i], bad = c->left[i + 1], most = most_left(c), half = floor((good + bad) / 2);
    double hardest[4] = {good, bad, most < half ? most : half, LARGEST_EXACT};
    for (size_t r = 0; r < c->count; r++) c->parameters[r] = good, c->others[r] = bad;
    const void *parameters[] = {c->parameters, c->others, c->rest};
    return draw_class(c, key, hardest, parameters);
}

static int draw_multivariate_hypergeometric(const plan *p, const char *words, const converted *x, size_t count,
                                            PyArrayObject *result) {
    const row *colors = &x->rows[0];
    double sample, total = 0, most = PyArray_ITEMSIZE(result) == 8 ? (double)LARGEST_EXACT : INT32_MAX;
    memcpy(&sample, &x->numbers[0], sizeof sample);
    for (size_t i = colors->n; i--; total += colors->values[i])
        if (colors->values[i] > LARGEST_EXACT - total) return IN_PYTHON;
    if (sample > total || (sample > most && colors->largest > most)) return IN_PYTHON;
    return draw_classes(p, words, colors, sample, count, draw_hypergeometric, result);
}

/* A cumulative sum, in the order of `cumulative_sum` in weighted.py. */
static void cumulate(double *x, size_t n) {
    double ends[MOST_ROW / 16];
    size_t blocks = (n + 15) / 16;
    for (size_t i = 0; i < n; i++)
        if (i % 16) x[i] += x[i - 1];
    if (blocks < 2) return;
    for (size_t b = 0; b + 1 < blocks; b++) ends[b] = x[16 * b + 15];
    cumulate(ends, blocks - 1);
    for (size_t i = 16; i < n; i++) x[i] += ends[i / 16 - 1];
}

static int draw_weighted(const plan *p, const char *words, const row *weights, size_t count, int32_t *places) {
    size_t n = weights->n;
    double reached[MOST_ROW];
    memcpy(reached, weights->values, n * sizeof *reached);
    cumulate(reached, n);
    for (size_t i = 0; i < n; i++) {
        if (weights->values[i] == 0) reached[i] = 0;
        if (i && reached[i - 1] > reached[i]) reached[i] = reached[i - 1];
    }
    counting of = {reached, n, 1, 4};
    job j;
    count_parts(&j, &of, p->program, p->number, words, count, places);
    return run_job(&j, 20 * n);
}

/* Integers below a number: by weight if the plan has a row, and with equal probabilities by a program of randint.py, both
 * with replacement; and else without. */
static int draw_choice(const plan *p, const char *words, const converted *x, size_t count, PyArrayObject *result) {
    uint64_t replace = x->numbers[0], size = x->numbers[1], zero = 0;
    const void *parameters[] = {&zero, &x->numbers[1], &x->numbers[2], &x->numbers[3]};
    int32_t *places = PyArray_DATA(result);
    if (x->row_count) return x->rows[0].n == size ? draw_weighted(p, words, &x->rows[0], count, places) : IN_PYTHON;
    if (replace) return draw(p, p->program, -1, words, count, 0, parameters, places, sizeof *places);
    if (count > size || size < 2) return IN_PYTHON;
    uint32_t *order = malloc(size * sizeof *order);
    if (!order) return no_memory();
    int failed = put_order(p->number, words, size, order);
    memcpy(places, order, count * sizeof *order);
    free(order);
    return failed ? no_memory() : 0;
}

static const steps dirichlet = {draw_dirichlet, NEW_AXIS, 0}, categorical = {draw_categorical, NO_AXIS, 1},
                   multivariate_normal = {draw_multivariate_normal, NEW_AXIS, 1},
                   multinomial = {draw_multinomial, GIVEN_AXIS, 0}, choice = {draw_choice, NO_AXIS, 0},
                   multivariate_hypergeometric = {draw_multivariate_hypergeometric, NEW_AXIS, 0};
