/* Python's arrays as buffers, and parameters of draws. Part of module.c. */
static int take(PyObject *object, Py_buffer *view, int flags) {
    if (PyObject_GetBuffer(object, view, flags)) {
        view->obj = NULL;
        return -1;
    }
    return 0;
}

/* Arguments first, first + 1, ... as buffers, of which those in `written`, a set of bits, are written to. */
static int take_all(PyObject *const *args, Py_buffer *views, int n, unsigned written) {
    int failed = 0;
    for (int i = 0; i < n; i++) views[i].obj = NULL;
    for (int i = 0; i < n && !failed; i++)
        failed = take(args[i], &views[i], written >> i & 1 ? PyBUF_WRITABLE : PyBUF_SIMPLE);
    return failed;
}

static PyObject *release_all(Py_buffer *views, int n, PyObject *result) {
    for (int i = 0; i < n; i++)
        if (views[i].obj) PyBuffer_Release(&views[i]);
    return result;
}

static PyObject *wrong_size(const char *name) {
    return PyErr_Format(PyExc_SystemError, "%s was called with buffers of the wrong size", name);
}

static int read_parameter(PyObject *item, parameter *p, Py_buffer *view, int itemsize, size_t total, int dims) {
    PyObject *array = item, *strides = NULL;
    if (PyTuple_Check(item)) {
        array = PyTuple_GetItem(item, 0);
        strides = PyTuple_GetItem(item, 1);
        if (!array || !strides) return -1;
    }
    if (take(array, view, PyBUF_SIMPLE)) return -1;
    p->data = view->buf;
    if (strides) {
        p->shape = STRIDED;
        for (int d = 0; d < dims; d++) {
            PyObject *stride = PyTuple_GetItem(strides, d);
            if (!stride) return -1;
            p->strides[d] = PyLong_AsLongLong(stride);
        }
    } else if (view->len == itemsize) {
        p->shape = ONE;
    } else if ((size_t)view->len == total * (size_t)itemsize) {
        p->shape = WHOLE;
    } else {
        PyErr_SetString(PyExc_SystemError, "size mismatch between a parameter's buffer and the result");
    }
    return PyErr_Occurred() ? -1 : 0;
}
