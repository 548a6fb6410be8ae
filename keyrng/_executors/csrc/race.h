/* The smallest of some times. Part of module.c. */
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The place of the smallest time of a row, and whether all others are above it times `ratio`. */
static int32_t first_of_row(const float *row, Py_ssize_t size, float ratio, int *decided) {
    float first = row[0], second = INFINITY;
    int32_t place = 0;
    for (Py_ssize_t k = 1; k < size; k++) {
        float time = row[k], later = time > first ? time : first;
        place = time < first ? (int32_t)k : place;
        first = time < first ? time : first;
        second = later < second ? later : second;
    }
    *decided = first > 0 && second > first * ratio;
    return place;
}

#ifdef __SSE2__
/* The places for four rows of four columns or more, four columns at a time; the last four may be read twice. Returns
 * which are decided, as bits. */
static int first_of_four_rows(const float *row, Py_ssize_t size, float ratio, int32_t *places) {
    __m128 least = _mm_set1_ps(INFINITY), next = least;
    __m128i place = _mm_setzero_si128();
    for (Py_ssize_t k = 0; k < size; k += 4) {
        Py_ssize_t at = k + 4 <= size ? k : size - 4;
        __m128 times[4];
        for (int i = 0; i < 4; i++) times[i] = _mm_loadu_ps(row + i * size + at);
        _MM_TRANSPOSE4_PS(times[0], times[1], times[2], times[3]);
        for (int i = 0; i < 3; i++)
            if (at + i < k) times[i] = _mm_set1_ps(INFINITY);
        for (int i = 0; i < 4; i++) {
            __m128i earlier = _mm_castps_si128(_mm_cmplt_ps(times[i], least)), column = _mm_set1_epi32((int)at + i);
            next = _mm_min_ps(_mm_max_ps(times[i], least), next);
            least = _mm_min_ps(times[i], least);
            place = _mm_or_si128(_mm_and_si128(earlier, column), _mm_andnot_si128(earlier, place));
        }
    }
    _mm_storeu_si128((__m128i *)places, place);
    __m128 apart = _mm_cmpgt_ps(next, _mm_mul_ps(least, _mm_set1_ps(ratio)));
    return _mm_movemask_ps(_mm_and_ps(apart, _mm_cmpgt_ps(least, _mm_setzero_ps())));
}
#endif

/* first_arrivals(times, size, ratio, places, undecided): for each row of `size` positive float32, write the place of the
 * smallest, an int32. Returns how many rows are undecided, and their numbers: those where another time is not above
 * the smallest times `ratio`, or the smallest is 0. */
static PyObject *first_arrivals(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 5) return PyErr_Format(PyExc_TypeError, "first_arrivals takes 5 arguments");
    Py_ssize_t size = PyLong_AsSsize_t(args[1]);
    float ratio = (float)PyFloat_AsDouble(args[2]);
    if (PyErr_Occurred()) return NULL;
    PyObject *const arrays[] = {args[0], args[3], args[4]};
    Py_buffer views[3];
    if (take_all(arrays, views, 3, 6)) return release_all(views, 3, NULL);
    Py_ssize_t rows = views[1].len / 4, left = 0;
    if (size < 1 || views[0].len != rows * size * 4 || views[2].len != rows * 4)
        return release_all(views, 3, wrong_size("first_arrivals"));
    const float *row = views[0].buf;
    int32_t *out = views[1].buf, *rest = views[2].buf;
    PyThreadState *state = rows < GIL_WORTH ? NULL : PyEval_SaveThread();
    for (Py_ssize_t i = 0, some; i < rows; i += some, row += some * size) {
        int decided;
#ifdef __SSE2__
        if (size >= 4 && i + 4 <= rows) some = 4, decided = first_of_four_rows(row, size, ratio, out + i);
        else
#endif
            some = 1, out[i] = first_of_row(row, size, ratio, &decided);
        for (Py_ssize_t k = 0; k < some && decided != (1 << some) - 1; k++)
            if (!(decided >> k & 1)) rest[left++] = (int32_t)(i + k);
    }
    if (state) PyEval_RestoreThread(state);
    return release_all(views, 3, PyLong_FromSsize_t(left));
}
