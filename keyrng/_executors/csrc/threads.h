/* Threads that compute ranges of elements without the interpreter. Part of module.c.
 *
 * The calling thread and helpers take ranges in turn. A helper lives as long as the process and waits for calls; a call
 * never waits for a helper that has not begun. The locks are Python's, because C11's threads are missing from some
 * platforms; a range takes microseconds, so what they cost does not matter.
 */
/* Picoseconds of work: */
#define SEGMENT_TIME 10000000000ull /* of each thread before Ctrl-C is handled */
#define HELPER_TIME 200000000ull    /* from which on a helper is woken, which takes up to a third of it in a virtual machine */
#define GIL_TIME 10000000ull        /* from which on the GIL is released, which takes a tenth of it */
#define RANGE_TIME 15000000ull      /* of the shortest range */

#define POLLS 16384 /* before a thread sleeps: some 100 us, as long as it takes at most to be woken in a virtual machine */

/* Computes elements `first` to `stop`. Returns 0, or another number to end the call; -1 if there was no memory. */
typedef int (*range_fn)(const void *of, size_t first, size_t stop);

typedef struct {
    range_fn act;
    const void *of;
    size_t next, stop, unit, shares; /* a thread takes a share of the elements left, in units */
    int helpers, waiting, status;
    PyThread_type_lock left; /* released by the last helper if the caller waits for it */
} ranges;

typedef struct helper {
    PyThread_type_lock wake; /* released to wake the helper */
    int woken, begun;
    ranges *work;
    struct helper *next;
} helper;

static PyThread_type_lock helpers_lock; /* protects the structs above */
static helper *helpers;
static int helper_count;

static void acquire(PyThread_type_lock lock) {
    for (int i = 0; i < POLLS; i++)
        if (PyThread_acquire_lock(lock, NOWAIT_LOCK)) return;
    PyThread_acquire_lock(lock, WAIT_LOCK);
}

static void work_on(ranges *r) {
    for (int status = 0;;) {
        acquire(helpers_lock);
        if (status) r->status = status, r->next = r->stop;
        size_t first = r->next, left = r->stop - first, n = (left / r->shares / r->unit + 1) * r->unit;
        r->next += n < left ? n : left;
        PyThread_release_lock(helpers_lock);
        if (!left) return;
        status = r->act(r->of, first, n < left ? first + n : first + left);
    }
}

static void help(void *self) {
    for (helper *h = self;;) {
        acquire(h->wake);
        acquire(helpers_lock);
        ranges *r = h->work;
        h->woken = 0;
        if (r) h->begun = 1, r->helpers++;
        PyThread_release_lock(helpers_lock);
        if (!r) continue; /* the call has ended */
        work_on(r);
        acquire(helpers_lock);
        h->work = NULL, h->begun = 0;
        if (!--r->helpers && r->waiting) PyThread_release_lock(r->left);
        PyThread_release_lock(helpers_lock);
    }
}

static PyThread_type_lock taken_lock(void) {
    PyThread_type_lock lock = PyThread_allocate_lock();
    if (lock) PyThread_acquire_lock(lock, WAIT_LOCK);
    return lock;
}

/* Start a helper. Returns 0 where threads are missing or too many. */
static int start_helper(void) {
    helper *h = calloc(1, sizeof *h);
    if (h && (h->wake = taken_lock()) && PyThread_start_new_thread(help, h) != (unsigned long)-1) {
        h->next = helpers, helpers = h, helper_count++;
        return 1;
    }
    if (h && h->wake) PyThread_free_lock(h->wake);
    free(h);
    return 0;
}

static void call_helpers(ranges *r, int wanted) {
    acquire(helpers_lock);
    while (helper_count < wanted && start_helper()) continue;
    for (helper *h = helpers; h && wanted; h = h->next) {
        if (h->work) continue;
        h->work = r, wanted--;
        if (!h->woken) PyThread_release_lock(h->wake);
        h->woken = 1;
    }
    PyThread_release_lock(helpers_lock);
}

/* Wait for the helpers that have begun, and call the others off. */
static void end_ranges(ranges *r) {
    acquire(helpers_lock);
    for (helper *h = helpers; h; h = h->next)
        if (h->work == r && !h->begun) h->work = NULL;
    r->waiting = r->helpers > 0;
    PyThread_release_lock(helpers_lock);
    if (!r->waiting) return;
    acquire(r->left);
    acquire(helpers_lock); /* the helper holds this lock until it no longer uses the other one */
    PyThread_release_lock(helpers_lock);
}

static int run_segment(range_fn act, const void *of, size_t first, size_t stop, size_t unit, int threads) {
    ranges r = {act, of, first, stop, unit, 2 * (size_t)threads, 0, 0, 0, NULL};
    if (threads < 2 || !(r.left = taken_lock())) return act(of, first, stop);
    call_helpers(&r, threads - 1);
    work_on(&r);
    end_ranges(&r);
    PyThread_release_lock(r.left);
    PyThread_free_lock(r.left);
    return r.status;
}

/* Run `act` for all elements, in ranges of whole units in at most `threads` threads, without the GIL if that pays.
 * Returns its last result other than 0; or -1 with an exception, if there was no memory or Ctrl-C was pressed. */
static int run_ranges(range_fn act, const void *of, size_t total, size_t unit, uint64_t picoseconds, int threads) {
    picoseconds += !picoseconds;
    if (total < HELPER_TIME / picoseconds) threads = 1;
    unit *= (size_t)(RANGE_TIME / picoseconds) / unit + 1;
    size_t segment = ((size_t)(SEGMENT_TIME * (uint64_t)threads / picoseconds) / unit + (size_t)threads) * unit;
    int status = 0;
    for (size_t first = 0, stop; first < total && !status; first = stop) {
        stop = total - first < segment ? total : first + segment;
        PyThreadState *state = stop - first < GIL_TIME / picoseconds ? NULL : PyEval_SaveThread();
        status = run_segment(act, of, first, stop, unit, threads);
        if (state) PyEval_RestoreThread(state);
        if (status == -1) PyErr_NoMemory();
        if (!status && stop < total) status = PyErr_CheckSignals();
    }
    return status;
}

/* forget_helpers(): forget threads that do not exist in the child of a fork */
static PyObject *forget_helpers(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    helpers_lock = PyThread_allocate_lock(); /* another thread may have had the old one */
    helpers = NULL, helper_count = 0;
    if (!helpers_lock) return PyErr_NoMemory();
    Py_RETURN_NONE;
}
