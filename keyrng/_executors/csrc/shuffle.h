/* Elements of a random permutation from their indices, as those of index_shuffle.py. Part of module.c. */

typedef struct {
    uint64_t n, rows, columns, scale; /* the rectangle of rows and columns has at least n cells */
    int runs, backwards;
    uint64_t keys[2];
} network;

#define ROUNDS_OF_RUN 12 /* as in index_shuffle.py, like the numbers below */

static network network_for(uint64_t n, int backwards) {
    int bits = 0;
    while (bits < 64 && n >> bits) bits++;
    network net = {.n = n, .columns = 1ull << bits / 2, .backwards = backwards};
    net.rows = n / net.columns + (n % net.columns > 0);
    net.scale = (1ull << 32) / net.columns;
    uint64_t shorter = net.rows < net.columns ? net.rows : net.columns;
    net.runs = (int)ceil(64 / (ROUNDS_OF_RUN * log2(shorter < 2 ? 2 : (double)shorter)));
    return net;
}

/* Pass `count` indices through the network once; `other` has memory for as many. */
static int pass_once(const plan *p, const network *net, const char *words, size_t count, uint64_t *indices,
                     uint64_t *other) {
    uint64_t first = 0, *from = indices, *to = other;
    const uint64_t *const numbers[] = {&net->rows, &net->columns, &net->scale, &first, &net->keys[0], &net->keys[1]};
    int failed = 0;
    for (int run = 0; run < net->runs && !failed; run++) {
        job j;
        one_key(&j, p->program, -1, p->number, words, count, (char *)to, 8);
        j.parameters[0].data = (const char *)from, j.parameters[0].shape = WHOLE;
        for (int i = 1; i < 7; i++) j.parameters[i].data = (const char *)numbers[i - 1], j.parameters[i].shape = ONE;
        first = (uint64_t)(net->backwards ? net->runs - 1 - run : run) * ROUNDS_OF_RUN;
        failed = run_job(&j, 0);
        uint64_t *filled = to;
        to = from, from = filled;
    }
    if (from != indices) memcpy(indices, from, count * sizeof *indices);
    return failed;
}

/* Replace indices below n by elements. Those outside n pass through the network until they are inside. */
static int walk(const plan *p, const char *words, const converted *x, size_t count, uint64_t *indices) {
    char child[32];
    uint64_t n = x->numbers[0];
    network net = network_for(n, (int)x->numbers[1]);
    fold(p, words, n, child);
    if (draw(p, p->more[0], -1, child, 2, 0, NULL, net.keys, sizeof *net.keys)) return FAILED;
    uint64_t *other = malloc(3 * count * sizeof *other), *some = other + count, *places = some + count;
    if (!other) return no_memory();
    int failed = pass_once(p, &net, words, count, indices, other);
    size_t left = 0, kept;
    for (size_t i = 0; i < count && !failed; i++)
        if (indices[i] >= n) places[left] = i, some[left++] = indices[i];
    for (; left && !failed; left = kept) {
        failed = pass_once(p, &net, words, left, some, other);
        kept = 0;
        for (size_t i = 0; i < left; i++) {
            uint64_t place = places[i], element = some[i];
            if (element < n) indices[place] = element;
            else places[kept] = place, some[kept++] = element;
        }
    }
    free(other);
    return failed;
}

/* Distinct integers: the first elements. */
static int draw_distinct(const plan *p, const char *words, const converted *x, size_t count, PyArrayObject *result) {
    uint64_t *indices = PyArray_DATA(result);
    if (count > x->numbers[0]) return IN_PYTHON;
    for (size_t i = 0; i < count; i++) indices[i] = i;
    return walk(p, words, x, count, indices);
}

/* Read integers below n, an int or an array in C order; 0 for other objects and other integers. */
static int read_indices(PyObject *object, uint64_t n, size_t count, uint64_t *to) {
    if (PyLong_CheckExact(object)) {
        int overflow = 0;
        long long index = PyLong_AsLongLongAndOverflow(object, &overflow);
        *to = (uint64_t)index;
        return !overflow && *to < n;
    }
    const void *data = PyArray_DATA((PyArrayObject *)object);
    int wide = PyArray_ITEMSIZE((PyArrayObject *)object) == 8;
    for (size_t i = 0; i < count; i++) {
        to[i] = (uint64_t)(wide ? ((const int64_t *)data)[i] : ((const int32_t *)data)[i]);
        if (to[i] >= n) return 0;
    }
    return 1;
}

static const steps sample_without_replacement = {draw_distinct, NO_AXIS, 0};
