/* The interface between the object file of an instruction set and the runtime, and the description of a kernel. */
#ifndef KEYRNG_CODE_H
#define KEYRNG_CODE_H

#include <stddef.h>
#include <stdint.h>

/* A straight-line part of a kernel over n lanes; buffers are padded to whole vectors. */
typedef void (*map_fn)(size_t n, const void *const *in, void *const *out);

/* Consecutive blocks of one key from index `first`, in multiples of `group`, as values in memory order. Prefetches as
 * much memory at `ahead` as it writes, unless `ahead` is NULL. */
typedef void (*fill_fn)(const void *key, uint64_t first, size_t groups, uint64_t domain, void *out, const char *ahead);

/* One block per lane, each at its own index, with one key or a key per lane; one output row per word. */
typedef void (*lanes_fn)(size_t n, const void *const *key, const void *low, const void *high, uint64_t draw,
                         uint64_t domain, void *const *out);

typedef struct {
    fill_fn values32, values64, halves, blocks; /* halves: the first of values of 64 bits, or NULL */
    lanes_fn lanes32[2], lanes64[2], lanes_values32[2]; /* [0] one key for all lanes, [1] a key per lane */
    size_t group, vector; /* blocks of a fill at a time, and lanes of a vector */
} algorithm_code;

/* Elements in runs, one after the other: run r begins at elements + r * stride, its size is sizes[r * sizes_stride]. */
typedef struct {
    const uint64_t *elements;
    size_t stride;
    const uint32_t *sizes;
    size_t sizes_stride, runs;
} sort_runs;

/* How many thresholds, in ascending order, are at most x, or below x if it is `strict`, as integers of `bytes`. */
typedef struct {
    const double *thresholds;
    size_t size;
    int strict, bytes;
} counting;
#define SHORT_ROW 32 /* numbers of a row in rows.h */

#define SORT_SPACE(n) (24 * (n) + 64)

typedef struct {
    const char *name;
    int slower; /* than AVX-512, roughly */
    const map_fn *maps;
    const algorithm_code *algorithms;
    void (*pairs)(const uint32_t *from, size_t n, uint32_t *first, uint32_t *second); /* keys of two words to columns */
    void (*count)(const counting *of, const double *x, size_t n, void *out); /* see count.h */
    void (*sort)(const sort_runs *from, size_t n, int known, void *space, uint32_t *places); /* see sort.h */
    size_t (*places)(const uint8_t *flags, uint8_t wanted, size_t n, uint32_t *numbers);
    /* Write the numbers, of 4 and of 8 bytes, where the flag is `wanted`; to a buffer that is padded to vectors. */
    void (*take[2])(const uint8_t *flags, uint8_t wanted, size_t n, const void *from, void *to);
    size_t (*first_places)(const float *times, size_t size, size_t rows, float ratio, int32_t *places, int32_t *open);
    void (*affine[2])(const void *columns, const void *mean, size_t size, size_t count, void *rows); /* see rows.h */
    void (*shares[2])(size_t size, size_t count, void *rows);
    int (*inside[2])(const void *numbers, size_t n, double low, double high, int whole); /* float32, float64 */
} isa_code;

typedef struct {
    const char *name;
    int word_bytes, key_words, block_words, jax_layout;
} algorithm_info;

enum stage_kind { STAGE_WORDS, STAGE_MAP, STAGE_LOOP, STAGE_COUNT, STAGE_PART, STAGE_WHOLE };

/* Stages that run only where all parameters are numbers and many elements share them, or only elsewhere. */
enum stage_use { ANY, NUMBERS, ARRAYS };

#define MOST_INPUTS 12
#define MOST_BUFFERS 32
#define MOST_KEYS 12
#define MOST_TAILS 2

/* A map that computes some outputs of another one, by number, again for few lanes; ended by -1. */
typedef struct {
    int map;
    signed char outputs[MOST_INPUTS];
} tail;

typedef struct {
    enum stage_kind kind;
    enum stage_use only;
    int map;                 /* MAP, LOOP: index in maps */
    int constant;            /* MAP: whether it reads parameters only */
    int key, bits;           /* WORDS, LOOP */
    int plane, step, place;  /* WORDS: element i reads word i * step + place + plane * size */
    int half;                /* WORDS: whether it reads the first 32 bits of a word of 64 bits */
    int term, start;         /* COUNT: the index in maps of a term, and the number of the first */
    int words;               /* LOOP: words per attempt */
    int wanted;              /* PART: lanes where the first input is this are put side by side, up to the next WHOLE */
    int inputs[MOST_INPUTS]; /* all but WORDS: buffers, ended by -1 */
    int outputs[MOST_INPUTS];
    int collect, common;     /* MAP, LOOP: from so many lanes on, if not 0, the map without tails, which lists them */
    tail tails[MOST_TAILS];  /* map 0: none, because it is a conversion */
    signed char gathered[MOST_INPUTS], spread[MOST_INPUTS]; /* sizes of its inputs and outputs, ended by -1 */
    int columns;             /* how many these are */
} stage;

typedef struct {
    const char *name, *result;
    int parameters, itemsize; /* of the parameters, which are the first buffers */
    int keys, parents[MOST_KEYS], children[MOST_KEYS];
    int buffers, sizes[MOST_BUFFERS];
    int stages, first_stage, output; /* output: the buffer of the result */
    int output_size;
    int picoseconds; /* for each element, roughly: the size of a piece of work depends on it */
} program;

#endif
