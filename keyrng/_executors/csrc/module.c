/* The Python module keyrng._executors._compiled: the names in the tables, and the functions that run them.
 *
 * keyrng._executors.native has checked that buffers are contiguous and of the right dtype; sizes are checked here.
 */
#define PY_SSIZE_T_CLEAN
#include <pyconfig.h>
#ifndef Py_GIL_DISABLED /* no limited API in free-threaded builds */
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>
#include <structmember.h>
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#include <numpy/arrayobject.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "code.h"
#include "tables.inc"

#include "execute.h"
#include "threads.h"

#define GIL_WORTH 4096 /* elements; releasing the GIL costs as much as computing about 100 */
#define MOST_SMALL_DIMS 32

#ifdef KEYRNG_HAVE_X86
extern const isa_code keyrng_code_avx512, keyrng_code_avx2;
#endif
extern const isa_code keyrng_code_baseline;

static const isa_code *available[3];
static int available_count;
static const isa_code *chosen;

static void find_isas(void) {
    available_count = 0;
#ifdef KEYRNG_HAVE_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw"))
        available[available_count++] = &keyrng_code_avx512;
    if (__builtin_cpu_supports("avx2")) available[available_count++] = &keyrng_code_avx2;
#endif
    available[available_count++] = &keyrng_code_baseline;
    chosen = available[0];
}

/* Picoseconds of an element of a draw, with `more` for what follows it. */
static uint64_t draw_time(const job *j, size_t more) {
    return ((uint64_t)j->program->picoseconds + more) * (uint64_t)j->isa->slower;
}

static PyObject *prepare; /* prepare(elements): the number of threads for a call that is not small */

/* The number of threads for so many elements; -1 with an exception. */
static int prepared_threads(size_t elements) {
    if (elements <= GIL_WORTH) return 1;
    PyObject *size = PyLong_FromSize_t(elements), *made = NULL;
    if (size) made = PyObject_CallFunctionObjArgs(prepare, size, NULL);
    long threads = made ? PyLong_AsLong(made) : -1;
    Py_XDECREF(size), Py_XDECREF(made);
    return (int)threads;
}

/* Execute a job of one key; a large one runs in threads, which Ctrl-C ends. Returns -1 with an exception, 1 if a parameter
 * breaks a rule, or 0. */
static int run_job(const job *j, size_t more) {
    size_t count = (size_t)j->count;
    int threads = prepared_threads(count), status = -1;
    if (count <= GIL_WORTH && (status = execute(j, 0, count)) < 0) PyErr_NoMemory();
    if (count > GIL_WORTH && threads > 0) status = run_ranges(execute, j, count, CHUNK, draw_time(j, more), threads);
    return status;
}

/* set_prepare(prepare): see prepare */
static PyObject *set_prepare(PyObject *self, PyObject *function) {
    (void)self;
    Py_INCREF(function);
    Py_XDECREF(prepare);
    prepare = function;
    Py_RETURN_NONE;
}

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static PyObject *describe(PyObject *self, PyObject *unused) {
    (void)self, (void)unused;
    PyObject *algorithm_names = PyList_New(0), *program_names = PyList_New(0), *store_list = PyList_New(0),
             *isa_names = PyList_New(0);
    int failed = !algorithm_names || !program_names || !store_list || !isa_names;
    for (int i = 0; i < COUNT(algorithm_infos) && !failed; i++) {
        PyObject *item = PyUnicode_FromString(algorithm_infos[i].name);
        failed = !item || PyList_Append(algorithm_names, item);
        Py_XDECREF(item);
    }
    for (int i = 0; i < COUNT(programs) && !failed; i++) {
        PyObject *item = Py_BuildValue("(ss)", programs[i].name, programs[i].result);
        failed = !item || PyList_Append(program_names, item);
        Py_XDECREF(item);
    }
    for (int i = 0; i < COUNT(store_names) && !failed; i++) {
        PyObject *item = PyUnicode_FromString(store_names[i]);
        failed = !item || PyList_Append(store_list, item);
        Py_XDECREF(item);
    }
    for (int i = 0; i < available_count && !failed; i++) {
        PyObject *item = PyUnicode_FromString(available[i]->name);
        failed = !item || PyList_Append(isa_names, item);
        Py_XDECREF(item);
    }
    PyObject *result = failed ? NULL : PyTuple_Pack(4, algorithm_names, program_names, store_list, isa_names);
    Py_XDECREF(algorithm_names);
    Py_XDECREF(program_names);
    Py_XDECREF(store_list);
    Py_XDECREF(isa_names);
    return result;
}

static PyObject *isa(PyObject *self, PyObject *name) {
    (void)self;
    if (name == Py_None) return PyUnicode_FromString(chosen->name);
    const char *wanted = PyUnicode_AsUTF8AndSize(name, NULL);
    if (!wanted) return NULL;
    for (int i = 0; i < available_count; i++)
        if (!strcmp(available[i]->name, wanted)) {
            chosen = available[i];
            Py_RETURN_NONE;
        }
    PyErr_Format(PyExc_ValueError, "instruction set %s is not available on this processor or in this build", wanted);
    return NULL;
}

#include "buffers.h"
#include "arrays.h"

/* run(program, store, algorithm, words, keys, start, count, size, out, out_size, threads, shape, parameters)
 * `start` is an integer or an array with one entry per key. */
static PyObject *run(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 13) return PyErr_Format(PyExc_TypeError, "run takes 13 arguments");
    long numbers[5];
    int places[5] = {0, 1, 2, 9, 10};
    for (int i = 0; i < 5; i++) numbers[i] = PyLong_AsLong(args[places[i]]);
    int one_start = PyLong_Check(args[5]);
    unsigned long long sizes[4];
    for (int i = 0; i < 4; i++) sizes[i] = i == 1 && !one_start ? 0 : PyLong_AsUnsignedLongLong(args[4 + i]);
    if (PyErr_Occurred()) return NULL;
    const program *p = &programs[numbers[0]];
    job j = {.program = p,
             .algorithm = &algorithm_infos[numbers[2]],
             .code = &chosen->algorithms[numbers[2]],
             .isa = chosen,
             .store = numbers[1] < 0 ? NULL : chosen->maps[numbers[1]],
             .out_size = (int)numbers[3],
             .keys = (size_t)sizes[0],
             .start = sizes[1],
             .count = sizes[2],
             .size = sizes[3],
             .dims = (int)PyTuple_Size(args[11])};
    size_t total = j.keys * (size_t)j.count;
    Py_buffer words = {0}, out = {0}, starts = {0}, views[MOST_INPUTS] = {{0}};
    int failed = 0;
    if (j.dims > MOST_DIMS || PyTuple_Size(args[12]) != p->parameters) {
        PyErr_SetString(PyExc_SystemError, "invalid arguments for run");
        return NULL;
    }
    failed = take(args[3], &words, PyBUF_SIMPLE) || take(args[8], &out, PyBUF_WRITABLE) ||
             (!one_start && take(args[5], &starts, PyBUF_SIMPLE));
    j.words = words.buf;
    j.starts = starts.buf;
    j.out = out.buf;
    for (int d = 0; d < j.dims && !failed; d++) j.shape[d] = PyLong_AsLongLong(PyTuple_GetItem(args[11], d));
    for (int i = 0; i < p->parameters && !failed; i++)
        failed = read_parameter(PyTuple_GetItem(args[12], i), &j.parameters[i], &views[i], p->itemsize, total, j.dims);
    if (!failed && ((size_t)words.len != j.keys * (size_t)(j.algorithm->key_words * j.algorithm->word_bytes) ||
                    (size_t)out.len != total * (size_t)j.out_size ||
                    (!one_start && (size_t)starts.len != j.keys * 8))) {
        PyErr_SetString(PyExc_SystemError, "size mismatch of words, starts or out");
        failed = 1;
    }
    int status = failed ? -1 : run_ranges(execute, &j, total, CHUNK, draw_time(&j, 0), (int)numbers[4]);
    if (words.obj) PyBuffer_Release(&words);
    if (out.obj) PyBuffer_Release(&out);
    if (starts.obj) PyBuffer_Release(&starts);
    for (int i = 0; i < p->parameters; i++)
        if (views[i].obj) PyBuffer_Release(&views[i]);
    return status ? NULL : Py_NewRef(Py_None);
}

/* The axes of a sample of at most so many elements from an int or a tuple of ints; -1 if it is something else. */
static int read_shape(PyObject *shape, size_t most, npy_intp *sizes, size_t *count) {
    int is_tuple = PyTuple_CheckExact(shape);
    Py_ssize_t dims = is_tuple ? PyTuple_Size(shape) : 1;
    if (dims > MOST_SMALL_DIMS) return -1;
    *count = 1;
    for (Py_ssize_t d = 0; d < dims; d++) {
        PyObject *size = is_tuple ? PyTuple_GetItem(shape, d) : shape;
        int overflow = 0;
        long long n = PyLong_CheckExact(size) ? PyLong_AsLongLongAndOverflow(size, &overflow) : 0;
        if (overflow || n < 1 || (unsigned long long)n > most / *count) return -1;
        *count *= (size_t)n, sizes[d] = (npy_intp)n;
    }
    return (int)dims;
}

/* A draw of one key whose parameters have no strides: an initializer would clear 7 KB, as much work as a small draw. */
static void one_key(job *j, int program, int store, int algorithm, const char *words, size_t count, char *out, int size) {
    j->program = &programs[program];
    j->algorithm = &algorithm_infos[algorithm], j->code = &chosen->algorithms[algorithm];
    j->isa = chosen, j->store = store < 0 ? NULL : chosen->maps[store];
    j->below = NULL, j->rules = NULL;
    j->words = words, j->keys = 1;
    j->start = 0, j->count = j->size = count, j->starts = NULL;
    j->out = out, j->out_size = size, j->dims = 0;
}

/* run_small(dispatch_key, words, shape, dtype, target, *parameters): draw with one key; `target` is numpy.empty or an
 * array of that shape and dtype, and parameters have one value or one per element. Returns None if the call is not
 * such a draw; the slow path then handles it and reports errors. The overhead of Python dominates small draws, so this
 * is a single call. */
static PyObject *run_small(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n < 5) return PyErr_Format(PyExc_TypeError, "run_small takes 5 arguments or more");
    long dispatch_key = PyLong_AsLong(args[0]);
    if (dispatch_key == -1 && PyErr_Occurred()) return NULL;
    int number = (int)(dispatch_key >> 16), store = (int)(dispatch_key >> 8 & 255) - 1;
    int algorithm = (int)(dispatch_key & 255);
    npy_intp sizes[MOST_SMALL_DIMS];
    size_t count;
    if (read_shape(args[2], GIL_WORTH, sizes, &count) < 0) Py_RETURN_NONE;
    Py_buffer words = {0}, out = {0}, views[MOST_INPUTS];
    if (PyObject_GetBuffer(args[1], &words, PyBUF_ND)) {
        PyErr_Clear(); /* on a GPU */
        Py_RETURN_NONE;
    }
    if (words.ndim != 1) {
        PyBuffer_Release(&words);
        Py_RETURN_NONE;
    }
    int taken = 0, failed = 1;
    PyObject *result = args[4];
    if (PyCallable_Check(args[4])) result = PyObject_CallFunctionObjArgs(args[4], args[2], args[3], NULL);
    else Py_INCREF(result);
    if (result && !take(result, &out, PyBUF_WRITABLE)) {
        job j;
        one_key(&j, number, store, algorithm, words.buf, count, out.buf, (int)out.itemsize);
        failed = words.len != j.algorithm->key_words * j.algorithm->word_bytes || n - 5 != j.program->parameters ||
                 (size_t)out.len != count * (size_t)out.itemsize;
        if (failed) PyErr_SetString(PyExc_SystemError, "invalid arguments for run_small");
        for (; taken < j.program->parameters && !failed; taken++) {
            views[taken].obj = NULL;
            failed =
                read_parameter(args[5 + taken], &j.parameters[taken], &views[taken], j.program->itemsize, count, 0);
        }
        if (!failed && execute(&j, 0, count)) PyErr_NoMemory(), failed = 1;
    }
    PyBuffer_Release(&words);
    if (out.obj) PyBuffer_Release(&out);
    while (taken--)
        if (views[taken].obj) PyBuffer_Release(&views[taken]);
    if (!failed) return result;
    Py_XDECREF(result);
    return NULL;
}

#include "children.h"

/* histogram(words, shift, counts): add to counts[word >> shift] for each 32-bit word.
 * Unlike np.bincount, it releases the GIL. */
static PyObject *histogram(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 3) return PyErr_Format(PyExc_TypeError, "histogram takes 3 arguments");
    long shift = PyLong_AsLong(args[1]);
    if (PyErr_Occurred()) return NULL;
    Py_buffer words = {0}, counts = {0};
    int failed = take(args[0], &words, PyBUF_SIMPLE) || take(args[2], &counts, PyBUF_WRITABLE);
    if (!failed && (shift < 1 || shift > 31 || (uint64_t)counts.len != (uint64_t)4 << (32 - shift))) {
        PyErr_SetString(PyExc_SystemError, "counts of histogram must have 2**(32 - shift) elements of 32 bits");
        failed = 1;
    }
    if (!failed) {
        const uint32_t *word = words.buf, *end = word + words.len / 4;
        uint32_t *count = counts.buf;
        PyThreadState *state = end - word < GIL_WORTH ? NULL : PyEval_SaveThread();
        while (word < end) count[*word++ >> shift]++;
        if (state) PyEval_RestoreThread(state);
    }
    if (words.obj) PyBuffer_Release(&words);
    if (counts.obj) PyBuffer_Release(&counts);
    if (failed) return NULL;
    Py_RETURN_NONE;
}

#include "orders.h"

typedef struct {
    const char *columns, *mean;
    size_t size, bytes; /* of a row */
    int wide;
    char *rows;
} short_rows;

static int put_affine(const void *of, size_t first, size_t stop) {
    const short_rows *r = of;
    chosen->affine[r->wide](r->columns, r->mean, r->size, stop - first, r->rows + first * r->bytes);
    return 0;
}

static int put_shares(const void *of, size_t first, size_t stop) {
    const short_rows *r = of;
    chosen->shares[r->wide](r->size, stop - first, r->rows + first * r->bytes);
    return 0;
}

/* affine(columns, mean, itemsize, threads, rows): replace rows by a matrix, given by its columns, times the row, plus
 * the mean */
static PyObject *affine(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 5) return PyErr_Format(PyExc_TypeError, "affine takes 5 arguments");
    size_t itemsize = PyLong_AsSize_t(args[2]);
    long threads = PyLong_AsLong(args[3]);
    if (PyErr_Occurred()) return NULL;
    PyObject *const arrays[] = {args[0], args[1], args[4]};
    Py_buffer views[3];
    if (take_all(arrays, views, 3, 4)) return release_all(views, 3, NULL);
    size_t bytes = (size_t)views[1].len, size = bytes / itemsize;
    if (size < 1 || size > SHORT_ROW || (size_t)views[0].len != bytes * size || (size_t)views[2].len % bytes)
        return release_all(views, 3, wrong_size("affine"));
    short_rows r = {views[0].buf, views[1].buf, size, bytes, itemsize == 8, views[2].buf};
    int failed = run_ranges(put_affine, &r, (size_t)views[2].len / bytes, CHUNK, 300 * size * size, (int)threads);
    return release_all(views, 3, failed ? NULL : Py_NewRef(Py_None));
}

/* shares(size, itemsize, threads, rows): divide rows by their sums */
static PyObject *shares(PyObject *self, PyObject *const *args, Py_ssize_t n) {
    (void)self;
    if (n != 4) return PyErr_Format(PyExc_TypeError, "shares takes 4 arguments");
    size_t size = PyLong_AsSize_t(args[0]), itemsize = PyLong_AsSize_t(args[1]), bytes = size * itemsize;
    long threads = PyLong_AsLong(args[2]);
    if (PyErr_Occurred()) return NULL;
    Py_buffer view;
    if (take_all(args + 3, &view, 1, 1)) return release_all(&view, 1, NULL);
    if (size < 1 || size > SHORT_ROW || (size_t)view.len % bytes) return release_all(&view, 1, wrong_size("shares"));
    short_rows r = {NULL, NULL, size, bytes, itemsize == 8, view.buf};
    int failed = run_ranges(put_shares, &r, (size_t)view.len / bytes, CHUNK, 500 * size, (int)threads);
    return release_all(&view, 1, failed ? NULL : Py_NewRef(Py_None));
}

#include "race.h"
#include "plan.h"
#include "steps.h"
#include "shuffle.h"
#include "find.h"
#include "array_draw.h"
#include "entry.h"
#include "bitgen.h"

#define METHOD(name, flags) {#name, (PyCFunction)(void (*)(void))name, flags, NULL}

static PyMethodDef methods[] = {
    METHOD(describe, METH_NOARGS),     METHOD(isa, METH_O),                METHOD(forget_helpers, METH_NOARGS),
    METHOD(run, METH_FASTCALL),        METHOD(children, METH_FASTCALL),
    METHOD(run_small, METH_FASTCALL),  METHOD(make_entry, METH_VARARGS),
    METHOD(pause_entries, METH_VARARGS), METHOD(keys_of, METH_VARARGS),METHOD(derive, METH_FASTCALL),     METHOD(derive_one, METH_FASTCALL),
    METHOD(histogram, METH_FASTCALL),  METHOD(short_orders, METH_FASTCALL), METHOD(sort_lines, METH_FASTCALL),
    METHOD(scatter, METH_FASTCALL),    METHOD(sort_buckets, METH_FASTCALL), METHOD(select_words, METH_FASTCALL),
    METHOD(take_elements, METH_FASTCALL), METHOD(read_stream, METH_FASTCALL),
    METHOD(count_below, METH_FASTCALL),
    METHOD(arrays_hold, METH_VARARGS), METHOD(first_arrivals, METH_FASTCALL),
    METHOD(set_prepare, METH_O),
    METHOD(affine, METH_FASTCALL), METHOD(shares, METH_FASTCALL),
    {NULL, NULL, 0, NULL},
};

static int start(PyObject *module) {
    (void)module;
    if (!chosen) find_isas();
    if (!helpers_lock && !(helpers_lock = PyThread_allocate_lock())) return PyErr_NoMemory(), -1;
    return PyArray_ImportNumPyAPI() < 0 ? -1 : 0;
}

/* Data is constant except for the pointer `chosen` and what threads.h protects by its lock. */
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)start},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_compiled", NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__compiled(void) { return PyModuleDef_Init(&definition); }
