/* Draws of classes by a race, for Python; first.h finds the first. Part of module.c. */

#define RACE (1 << 14)       /* times at once */
#define RACE_WORTH (1 << 12) /* times from which a race takes less time than sums */
#define DECISIVE (1 + 0x1p-11f) /* RATIO of gumbel_race.py */

typedef struct {
    job times;         /* of the first key */
    size_t size, tile; /* classes, and draws at a time, for which the parameter has weights */
    size_t draws;      /* of each key */
    float ratio;
    int32_t *places;
} race;

/* Write the places of draws, counted over all keys in order; those of undecided draws are inverted. */
static int put_places(const void *of, size_t first, size_t stop) {
    const race *r = of;
    size_t most = stop - first < r->tile ? stop - first : r->tile;
    float *times = malloc(most * r->size * sizeof *times);
    int32_t *open = malloc(most * sizeof *open);
    int failed = !times || !open;
    job j = r->times;
    for (size_t row = first, n; row < stop && !failed; row += n) {
        size_t key = row / r->draws, at = row % r->draws;
        n = stop - row < most ? stop - row : most;
        if (n > r->draws - at) n = r->draws - at;
        j.words = r->times.words + key * (size_t)(j.algorithm->key_words * j.algorithm->word_bytes);
        j.start = at * r->size, j.count = n * r->size, j.out = (char *)times;
        failed = execute(&j, 0, n * r->size);
        size_t left = failed ? 0 : j.isa->first_places(times, r->size, n, r->ratio, r->places + row, open);
        for (size_t i = 0; i < left; i++) r->places[row + (size_t)open[i]] = ~r->places[row + (size_t)open[i]];
    }
    free(times), free(open);
    return failed ? -1 : 0;
}

/* Run a race, whose fields but `times` are set, with the weights of a tile. Returns 1 with an exception, or 0. */
static int run_race(race *r, int program, int algorithm, const char *words, const float *weights, size_t total, int threads) {
    one_key(&r->times, program, -1, algorithm, words, r->draws * r->size, NULL, 4);
    r->times.parameters[0].data = (const char *)weights, r->times.parameters[0].shape = WHOLE;
    return run_ranges(put_places, r, total, r->tile, draw_time(&r->times, 20) * r->size, threads) != 0;
}

/* first_arrivals(program, algorithm, words, size, ratio, weights, threads, places): for draws of each key, the place of
 * the smallest of `size` times, an int32, which is inverted if another time is not above the smallest times `ratio`, or
 * the smallest is 0. The program computes float32 times, not below 0, from weights of as many draws as run at a time. */
static PyObject *first_arrivals(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 8) return PyErr_Format(PyExc_TypeError, "first_arrivals takes 8 arguments");
    int program = (int)PyLong_AsLong(args[0]), algorithm = (int)PyLong_AsLong(args[1]);
    race r = {.size = PyLong_AsSize_t(args[3]), .ratio = (float)PyFloat_AsDouble(args[4])};
    long threads = PyLong_AsLong(args[6]);
    if (PyErr_Occurred()) return NULL;
    PyObject *const arrays[] = {args[2], args[5], args[7]};
    const algorithm_info *a = &algorithm_infos[algorithm];
    Py_buffer views[3];
    if (take_all(arrays, views, 3, 4)) return release_all(views, 3, NULL);
    size_t keys = (size_t)views[0].len / (size_t)(a->key_words * a->word_bytes), total = (size_t)views[2].len / 4;
    r.tile = r.size ? (size_t)views[1].len / 4 / r.size : 0;
    if (!r.tile || !keys || total % keys || programs[program].parameters != 1)
        return release_all(views, 3, wrong_size("first_arrivals"));
    r.draws = total / keys, r.places = views[2].buf;
    int failed = run_race(&r, program, algorithm, views[0].buf, views[1].buf, total, (int)threads);
    return release_all(views, 3, failed ? NULL : Py_NewRef(Py_None));
}
