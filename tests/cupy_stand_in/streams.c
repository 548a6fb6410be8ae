/* Streams and events: everything is done at once, so that waiting is only told. A capture keeps what is done on its
 * stream, with copies of the arguments; it is done when the graph is launched. */

typedef struct {
    int device, capturing;
} Stream;
static Stream *captured;

typedef void (*Host)(unsigned, unsigned, unsigned, unsigned, void **);
typedef struct {
    char name[256];
    Host run;
    const unsigned *sizes; /* of the arguments in bytes, ended by 0 */
    uint64_t pointers;     /* a bit for each argument that is a plain pointer */
    int flushes;           /* compiled with -ftz=true, and not by inline PTX that does not flush */
} Kernel;

typedef struct {
    enum { LAUNCH, COPY, FILL } kind;
    Kernel *kernel;
    unsigned grid[2], block[2];
    void **arguments;
    void *to;
    const void *from;
    int value;
    size_t size;
} Step;
typedef struct {
    Step *steps;
    size_t count;
} Graph;
static Graph *capture;

static int is_default(const void *stream) { return (uintptr_t)stream <= 2; }
static int is_captured(const void *stream) { return captured && stream == captured; }
static int elsewhere(const void *stream) { return !is_default(stream) && ((Stream *)stream)->device != current; }

static void run(const Step *step) {
    static pthread_mutex_t one_launch = PTHREAD_MUTEX_INITIALIZER; /* blockIdx is a variable of a library */
    if (step->kind == COPY) memmove(step->to, step->from, step->size);
    if (step->kind == FILL) memset(step->to, step->value, step->size);
    if (step->kind != LAUNCH) return;
    pthread_mutex_lock(&one_launch);
    unsigned before = _mm_getcsr();
    _mm_setcsr(step->kernel->flushes ? 0x1f80 | 0x8040 : 0x1f80);
    step->kernel->run(step->grid[0], step->grid[1], step->block[0], step->block[1], step->arguments);
    _mm_setcsr(before);
    pthread_mutex_unlock(&one_launch);
}

static void run_or_keep(Step step, const void *stream) {
    if (!is_captured(stream)) {
        run(&step);
        return;
    }
    if (step.kind == LAUNCH) {
        size_t count = 0;
        while (step.kernel->sizes[count]) count++;
        void **kept = malloc((count + 1) * sizeof *kept);
        for (size_t i = 0; i < count; i++)
            kept[i] = memcpy(malloc(step.kernel->sizes[i]), step.arguments[i], step.kernel->sizes[i]);
        step.arguments = kept;
    }
    capture->steps = realloc(capture->steps, (capture->count + 1) * sizeof step);
    capture->steps[capture->count++] = step;
}

/* Something that Python does, at its place in the stream. */
X int stand_in_do(Host run, void *stream) {
    static const unsigned none[] = {0};
    Kernel *kernel = calloc(1, sizeof *kernel);
    kernel->run = run, kernel->sizes = none;
    run_or_keep((Step){.kind = LAUNCH, .kernel = kernel}, stream);
    return OK;
}
X void stand_in_nothing(unsigned gx, unsigned gy, unsigned bx, unsigned by, void **arguments) {}

/* Kernels that are compiled into CuPy's modules have no text; they are told, and write nothing. */
RUNTIME(cudaLaunchKernel)(const void *function, dim3 grid, dim3 block, void **arguments, size_t shared, void *stream) {
    if (idle) return OK;
    long numbers[8] = {grid.x, grid.y, block.x, block.y, (long)(uintptr_t)stream, current, is_captured(stream)};
    if (hook) hook("launch", "compiled into CuPy", numbers);
    return OK;
}
X int stand_in___cudaLaunchKernel(const void *f, dim3 grid, dim3 block, void **arguments, size_t shared, void *stream) {
    return stand_in_cudaLaunchKernel(f, grid, block, arguments, shared, stream);
}
X int stand_in___cudaGetKernel(void **kernel, const void *function) { return *kernel = (void *)function, OK; }
static __thread struct {
    dim3 grid, block;
    size_t shared;
    void *stream;
} pushed;
X unsigned stand_in___cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, void *stream) {
    return pushed.grid = grid, pushed.block = block, pushed.shared = shared, pushed.stream = stream, OK;
}
X int stand_in___cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void **stream) {
    return *grid = pushed.grid, *block = pushed.block, *shared = pushed.shared, *stream = pushed.stream, OK;
}

RUNTIME(cudaStreamCreate)(void **result) {
    Stream *stream = calloc(1, sizeof *stream);
    stream->device = current;
    return *result = stream, OK;
}
RUNTIME(cudaStreamCreateWithFlags)(void **result, unsigned flags) { return stand_in_cudaStreamCreate(result); }
RUNTIME(cudaStreamCreateWithPriority)(void **result, unsigned f, int p) { return stand_in_cudaStreamCreate(result); }
RUNTIME(cudaStreamDestroy)(void *stream) { return OK; } /* kept, because captures compare addresses */
RUNTIME(cudaStreamGetFlags)(void *stream, unsigned *flags) { return *flags = 1, OK; }
RUNTIME(cudaStreamGetPriority)(void *stream, int *priority) { return *priority = 0, OK; }
RUNTIME(cudaStreamQuery)(void *stream) { return is_captured(stream) ? CAPTURED : OK; }
RUNTIME(cudaStreamWaitEvent)(void *stream, void *event, unsigned flags) { return OK; }
RUNTIME(cudaStreamSynchronize)(void *stream) {
    tell("wait", "for a stream", 0);
    return is_captured(stream) ? CAPTURED : OK;
}
RUNTIME(cudaDeviceSynchronize)(void) {
    tell("wait", "for a device", 0);
    return captured ? CAPTURED : OK;
}

RUNTIME(cudaStreamBeginCapture)(void *stream, int mode) {
    if (captured || is_default(stream)) return CAPTURED;
    captured = stream, capture = calloc(1, sizeof *capture);
    return OK;
}
RUNTIME(cudaStreamEndCapture)(void *stream, void **graph) {
    if (!is_captured(stream)) return INVALID;
    captured = NULL;
    return *graph = capture, OK;
}
RUNTIME(cudaStreamIsCapturing)(void *stream, int *result) { return *result = is_captured(stream), OK; }
RUNTIME(cudaGraphInstantiate)(void **result, void *graph, unsigned long long flags) { return *result = graph, OK; }
RUNTIME(cudaGraphUpload)(void *graph, void *stream) { return OK; }
RUNTIME(cudaGraphDestroy)(void *graph) { return OK; }
RUNTIME(cudaGraphExecDestroy)(void *graph) { return OK; }
RUNTIME(cudaGraphLaunch)(void *graph, void *stream) {
    for (size_t i = 0; i < ((Graph *)graph)->count; i++) run(((Graph *)graph)->steps + i);
    return OK;
}

RUNTIME(cudaEventCreate)(void **event) { return *event = malloc(1), OK; }
RUNTIME(cudaEventCreateWithFlags)(void **event, unsigned flags) { return *event = malloc(1), OK; }
RUNTIME(cudaEventDestroy)(void *event) { return free(event), OK; }
RUNTIME(cudaEventRecord)(void *event, void *stream) { return OK; }
RUNTIME(cudaEventQuery)(void *event) { return OK; }
RUNTIME(cudaEventElapsedTime)(float *ms, void *from, void *to) { return *ms = 1, OK; }
RUNTIME(cudaEventSynchronize)(void *event) { return tell("wait", "for an event", 0), OK; }

/* Copies; where they go is seen by the addresses. */

static int copy(void *to, const void *from, size_t size, const void *stream, int waits) {
    int onto = device_of(to) >= 0, off = device_of(from) >= 0;
    if (size && onto && !off) tell("upload", waits ? "and wait" : "", (long)size);
    if (size && off && !onto) tell("to host", waits ? "and wait" : "", (long)size);
    if (waits && captured) return CAPTURED;
    if (is_captured(stream) && onto != off) return CAPTURED;
    run_or_keep((Step){.kind = COPY, .to = to, .from = from, .size = size}, stream);
    return OK;
}
static int set(void *to, int value, size_t size, const void *stream) {
    if (size && device_of(to) < 0) return INVALID;
    run_or_keep((Step){.kind = FILL, .to = to, .value = value, .size = size}, stream);
    return OK;
}
RUNTIME(cudaMemcpy)(void *to, const void *from, size_t size, int kind) { return copy(to, from, size, NULL, 1); }
RUNTIME(cudaMemcpyAsync)(void *to, const void *from, size_t size, int kind, void *stream) {
    return elsewhere(stream) ? WRONG_STREAM : copy(to, from, size, stream, 0);
}
RUNTIME(cudaMemcpyPeer)(void *to, int d, const void *from, int s, size_t size) { return copy(to, from, size, NULL, 0); }
RUNTIME(cudaMemcpyPeerAsync)(void *to, int d, const void *from, int s, size_t size, void *stream) {
    return copy(to, from, size, stream, 0);
}
RUNTIME(cudaMemset)(void *to, int value, size_t size) { return set(to, value, size, NULL); }
RUNTIME(cudaMemsetAsync)(void *to, int value, size_t size, void *stream) { return set(to, value, size, stream); }
