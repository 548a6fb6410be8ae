/* Arithmetic on many short rows, in place; part of isa.c. Sums are in order, and begin with 0, as those in Python. */

/* With constants, so that the compiler unrolls loops over a row. */
#define FOR_SIZE(rows, type)                                                                                           \
    switch (size) {                                                                                                    \
    case 2: rows(type, 2)                                                                                              \
    case 3: rows(type, 3)                                                                                              \
    case 4: rows(type, 4)                                                                                              \
    case 5: rows(type, 5)                                                                                              \
    case 6: rows(type, 6)                                                                                              \
    case 7: rows(type, 7)                                                                                              \
    case 8: rows(type, 8)                                                                                              \
    default: rows(type, size)                                                                                          \
    }

/* A matrix times a row, plus a vector. */
#define AFFINE_ROWS(type, size)                                                                                        \
    for (size_t v = 0; v < count; v++, x += (size)) {                                                                  \
        e_##type sums[SHORT_ROW] = {0};                                                                                \
        for (size_t k = 0; k < (size); k++)                                                                            \
            for (size_t i = 0; i < (size); i++) sums[i] += columns[k * (size) + i] * x[k];                             \
        for (size_t i = 0; i < (size); i++) x[i] = sums[i] + mean[i];                                                  \
    }                                                                                                                  \
    return;

#define AFFINE_FUNCTION(type)                                                                                          \
    static void affine_##type(const void *columns_, const void *mean_, size_t size, size_t count, void *rows) {        \
        const e_##type *columns = columns_, *mean = mean_;                                                             \
        e_##type *x = rows;                                                                                            \
        FOR_SIZE(AFFINE_ROWS, type)                                                                                    \
    }
AFFINE_FUNCTION(float32)
AFFINE_FUNCTION(float64)

/* A row by its sum. The sums of some rows come first, because vectors divide several numbers at once. */
#define TOTALS 256 /* and at most so many numbers of a row, as MOST_ROW in plan.h */
#define SHARES_ROWS(type, size)                                                                                        \
    for (size_t some; count; count -= some, x += some * (size)) {                                                      \
        e_##type totals[TOTALS];                                                                                       \
        some = count < TOTALS / (size) ? count : TOTALS / (size);                                                      \
        for (size_t v = 0; v < some; v++) {                                                                            \
            e_##type total = 0;                                                                                        \
            for (size_t i = 0; i < (size); i++) total += x[v * (size) + i];                                            \
            for (size_t i = 0; i < (size); i++) totals[v * (size) + i] = total;                                        \
        }                                                                                                              \
        for (size_t i = 0; i < some * (size); i++) x[i] /= totals[i];                                                  \
    }                                                                                                                  \
    return;

#define SHARES_FUNCTION(type)                                                                                          \
    static void shares_##type(size_t size, size_t count, void *rows) {                                                 \
        e_##type *x = rows;                                                                                            \
        FOR_SIZE(SHARES_ROWS, type)                                                                                    \
    }
SHARES_FUNCTION(float32)
SHARES_FUNCTION(float64)
