/* The CUDA runtime and driver of a machine whose devices are the host: memory is the host's, and a launch calls a
 * function that the host's compiler made of the kernel. This file, streams.c and driver.c are compiled as one.
 *
 * Functions named stand_in_cudaX replace cudaX of the runtime, which CuPy's modules link statically; CuPy finds those
 * named cuX in this library, which is loaded in the place of libcuda.so.1. A function that is missing here is refused
 * by its name. Every copy, wait and launch calls `hook`. */
#define _GNU_SOURCE
#include <cuda_runtime_api.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xmmintrin.h>
#undef cudaGetDeviceProperties
#define X __attribute__((visibility("default")))
#define RUNTIME(name) X int stand_in_##name

enum { OK = 0, INVALID = 1, NO_MEMORY = 2, NO_DEVICE = 100, WRONG_DEVICE = 101, WRONG_STREAM = 400, ILLEGAL = 700 };
enum { LAUNCH_OUT_OF_BOUNDS = 701, NOT_SUPPORTED = 801, CAPTURED = 900 };

static int devices = 1;
static __thread int current;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Events reported to Python */

typedef void (*Hook)(const char *what, const char *name, const long *numbers);
static Hook hook;
X void stand_in_start(int count, Hook told) { devices = count, hook = told; }

/* While this is set, launches are not even told: what is left is the time that Python needs for them. */
static int idle;
X void stand_in_idle(int on) { idle = on; }

static void tell(const char *what, const char *name, long number) {
    long numbers[8] = {number};
    if (hook) hook(what, name, numbers);
}

X int stand_in_refuse(const char *name) {
    tell("refused", name, 0);
    return NOT_SUPPORTED;
}

/* A jump to another function, written over the beginning of one. */
X int stand_in_replace(void *function, void *by) {
    unsigned char jump[14] = {0xff, 0x25};
    uintptr_t page = (uintptr_t)function & ~(uintptr_t)4095;
    if (mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC)) return 1;
    memcpy(jump + 6, &by, 8);
    memcpy(function, jump, sizeof jump);
    return mprotect((void *)page, 8192, PROT_READ | PROT_EXEC);
}

/* Memory: each allocation has a margin on both sides, which is looked at when it is freed. New and freed memory holds
 * UNWRITTEN, so that what is read before it is written, or after it is freed, is seen. */

enum { MARGIN = 512, UNWRITTEN = 0xa5 };
typedef struct {
    unsigned char *start;
    size_t size;
    int device;
} Block;
static Block *blocks;
static size_t block_count, block_capacity;

static Block *block_of(const void *at) { /* with the lock held; the newest are asked for most */
    for (size_t i = block_count; i-- > 0;)
        if ((unsigned char *)at >= blocks[i].start && (unsigned char *)at < blocks[i].start + blocks[i].size)
            return blocks + i;
    return NULL;
}

static int device_of(const void *at) {
    pthread_mutex_lock(&lock);
    Block *block = block_of(at);
    int device = block ? block->device : -1;
    pthread_mutex_unlock(&lock);
    return device;
}

static int allocate(void **result, size_t size) {
    unsigned char *all = aligned_alloc(MARGIN, (size + 3 * MARGIN - 1) / MARGIN * MARGIN);
    if (!all) return NO_MEMORY;
    memset(all, UNWRITTEN, (size + 3 * MARGIN - 1) / MARGIN * MARGIN);
    pthread_mutex_lock(&lock);
    if (block_count == block_capacity) blocks = realloc(blocks, (block_capacity += 4096) * sizeof *blocks);
    blocks[block_count++] = (Block){all + MARGIN, size, current};
    pthread_mutex_unlock(&lock);
    *result = all + MARGIN;
    return OK;
}

static int unwritten(const unsigned char *from, const unsigned char *to) {
    while (from < to && *from == UNWRITTEN) from++;
    return from == to;
}

static int release(void *at) {
    if (!at) return OK;
    pthread_mutex_lock(&lock);
    Block *found = block_of(at);
    if (!found || found->start != at) {
        pthread_mutex_unlock(&lock);
        return INVALID;
    }
    Block block = *found;
    *found = blocks[--block_count];
    pthread_mutex_unlock(&lock);
    size_t whole = (block.size + 3 * MARGIN - 1) / MARGIN * MARGIN;
    unsigned char *all = block.start - MARGIN, *end = block.start + block.size;
    if (!unwritten(all, block.start) || !unwritten(end, all + whole))
        tell("damage", "memory next to an allocation is written to", (long)block.size);
    memset(block.start, UNWRITTEN, block.size);
    free(all);
    return OK;
}

RUNTIME(cudaMalloc)(void **result, size_t size) { return allocate(result, size); }
RUNTIME(cudaMallocAsync)(void **result, size_t size, void *stream) { return allocate(result, size); }
RUNTIME(cudaFree)(void *at) { return release(at); }
RUNTIME(cudaFreeAsync)(void *at, void *stream) { return release(at); }
RUNTIME(cudaHostAlloc)(void **result, size_t size, unsigned flags) { return (*result = malloc(size)) ? OK : NO_MEMORY; }
RUNTIME(cudaFreeHost)(void *at) { return free(at), OK; }
RUNTIME(cudaMemGetInfo)(size_t *left, size_t *all) { return *left = *all = (size_t)80 << 30, OK; }

RUNTIME(cudaPointerGetAttributes)(struct cudaPointerAttributes *result, const void *at) {
    int device = device_of(at);
    *result = (struct cudaPointerAttributes){.type = device < 0 ? 0 : 2, .device = device < 0 ? 0 : device};
    result->devicePointer = device < 0 ? NULL : (void *)at;
    return OK;
}

/* Devices */

RUNTIME(cudaGetDeviceCount)(int *count) { return *count = devices, devices ? OK : NO_DEVICE; }
RUNTIME(cudaGetDevice)(int *device) { return *device = current, devices ? OK : NO_DEVICE; }
RUNTIME(cudaSetDevice)(int device) {
    if (device < 0 || device >= devices) return WRONG_DEVICE;
    current = device;
    return OK;
}
RUNTIME(cudaDriverGetVersion)(int *version) { return *version = CUDART_VERSION, OK; }
RUNTIME(cudaRuntimeGetVersion)(int *version) { return *version = CUDART_VERSION, OK; }
RUNTIME(cudaDeviceCanAccessPeer)(int *can, int device, int peer) { return *can = 1, OK; }
RUNTIME(cudaDeviceEnablePeerAccess)(int peer, unsigned flags) { return OK; }
RUNTIME(cudaDeviceGetLimit)(size_t *value, int limit) { return *value = 1024, OK; }
RUNTIME(cudaDeviceGetDefaultMemPool)(void **pool, int device) { return *pool = (void *)16, OK; }
RUNTIME(cudaDeviceGetMemPool)(void **pool, int device) { return *pool = (void *)16, OK; }

RUNTIME(cudaDeviceGetAttribute)(int *value, int attribute, int device) { /* an H200's */
    static const struct {
        int attribute, value;
    } known[] = {{1, 1024},   {2, 1024},     {3, 1024},   {4, 64},       {5, 0x7fffffff}, {6, 65535},
                 {7, 65535},  {8, 49152},    {10, 32},    {12, 65536},   {13, 1980000},   {16, 132},
                 {36, 2619000}, {38, 52428800}, {39, 2048}, {41, 1},     {75, 9},         {81, 233472},
                 {82, 65536}, {97, 232448},  {115, 1}};
    *value = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].attribute == attribute) *value = known[i].value;
    return device < devices ? OK : WRONG_DEVICE;
}

RUNTIME(cudaGetDeviceProperties)(struct cudaDeviceProp *result, int device) {
    if (device < 0 || device >= devices) return WRONG_DEVICE;
    *result = (struct cudaDeviceProp){.name = "the host", .major = 9, .multiProcessorCount = 132, .warpSize = 32};
    result->totalGlobalMem = (size_t)80 << 30, result->maxThreadsPerBlock = 1024;
    return OK;
}

/* Errors are returned and not remembered. */
X const char *stand_in_cudaGetErrorName(int error) {
    return error == CAPTURED       ? "cudaErrorStreamCaptureUnsupported"
           : error == WRONG_DEVICE ? "cudaErrorInvalidDevice"
                                   : "cudaError";
}
X const char *stand_in_cudaGetErrorString(int error) {
    return error == CAPTURED ? "operation not permitted when stream is capturing" : "refused by the stand-in";
}
RUNTIME(cudaGetLastError)(void) { return OK; }
RUNTIME(cudaPeekAtLastError)(void) { return OK; }
