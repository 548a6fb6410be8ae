/* The driver: modules, kernels and their launches. */

typedef Kernel *(*Find)(void *module, const char *name);
static Find find;
X void stand_in_find_kernels(Find by) { find = by; }
X Kernel *stand_in_kernel(const char *name, Host run, const unsigned *sizes, uint64_t pointers, int flushes) {
    Kernel *kernel = calloc(1, sizeof *kernel);
    snprintf(kernel->name, sizeof kernel->name, "%s", name);
    kernel->run = run, kernel->sizes = sizes, kernel->pointers = pointers, kernel->flushes = flushes;
    return kernel;
}

X int cuInit(unsigned flags) { return OK; }
X int cuDriverGetVersion(int *version) { return *version = CUDART_VERSION, OK; }
X int cuGetErrorName(int error, const char **result) { return *result = "CUDA_ERROR", OK; }
X int cuGetErrorString(int error, const char **result) {
    *result = error == ILLEGAL                ? "a pointer is not of the current device"
              : error == LAUNCH_OUT_OF_BOUNDS ? "a grid or block is too large or empty"
              : error == WRONG_STREAM         ? "the stream is of another device"
                                              : "refused by the stand-in";
    return OK;
}
X int cuCtxGetCurrent(void **context) { return *context = (void *)64, OK; }
X int cuCtxSetCurrent(void *context) { return OK; }
X int cuCtxGetDevice(int *device) { return *device = current, OK; }
X int cuModuleLoadData(void **module, const void *image) { return *module = malloc(1), OK; }
X int cuModuleUnload(void *module) { return OK; } /* its address is a name in Python, and is not used again */
X int cuModuleGetFunction(void **function, void *module, const char *name) {
    return (*function = find ? find(module, name) : NULL) ? OK : NOT_SUPPORTED;
}
X int cuFuncGetAttribute(int *value, int attribute, void *function) { return *value = attribute ? 40 : 1024, OK; }
X int cuFuncSetAttribute(void *function, int attribute, int value) { return OK; }
X int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *count, void *function, int threads, size_t shared) {
    return *count = 65536 / 40 / threads, OK;
}
X int cuOccupancyMaxPotentialBlockSize(int *grid, int *block, void *f, void *size_of, size_t shared, int limit) {
    return *grid = 132, *block = 1024, OK;
}
X int cuLaunchKernel(
        void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
        void *stream, void **arguments, void **extra) {
    if (idle) return OK;
    Kernel *kernel = function;
    long numbers[8] = {gx, gy, bx, by, (long)(uintptr_t)stream, current, is_captured(stream)};
    if (hook) hook("launch", kernel->name, numbers);
    if (!gx || !gy || gz != 1 || gy > 65535 || bz != 1 || !bx || !by || bx * by > 1024) return LAUNCH_OUT_OF_BOUNDS;
    if (elsewhere(stream)) return WRONG_STREAM;
    for (int i = 0; i < 64 && kernel->sizes[i]; i++) {
        void *pointer = kernel->pointers >> i & 1 ? *(void **)arguments[i] : NULL;
        if (pointer && device_of(pointer) != current) return ILLEGAL;
    }
    Step step = {.kind = LAUNCH, .kernel = kernel, .grid = {gx, gy}, .block = {bx, by}, .arguments = arguments};
    run_or_keep(step, stream);
    return OK;
}
