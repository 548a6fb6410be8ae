/* The smallest of some times, for Python. Part of module.c; first.h has the search. */

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
    Py_ssize_t rows = views[1].len / 4;
    if (size < 1 || views[0].len != rows * size * 4 || views[2].len != rows * 4)
        return release_all(views, 3, wrong_size("first_arrivals"));
    PyThreadState *state = rows < GIL_WORTH ? NULL : PyEval_SaveThread();
    size_t left = chosen->first_places(views[0].buf, (size_t)size, (size_t)rows, ratio, views[1].buf, views[2].buf);
    if (state) PyEval_RestoreThread(state);
    return release_all(views, 3, PyLong_FromSize_t(left));
}
