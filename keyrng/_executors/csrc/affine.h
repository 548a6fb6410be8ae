/* A matrix times each of many short vectors, plus a vector, in place; part of isa.c. The sums are in order, and begin
 * with 0, as those of keyrng/distributions/_shared/covariance.py. */
#define AFFINE_ROWS(type, size)                                                                                        \
    for (size_t v = 0; v < count; v++, x += (size)) {                                                                  \
        e_##type sums[MOST_COMPONENTS] = {0};                                                                          \
        for (size_t k = 0; k < (size); k++)                                                                            \
            for (size_t i = 0; i < (size); i++) sums[i] += columns[k * (size) + i] * x[k];                             \
        for (size_t i = 0; i < (size); i++) x[i] = sums[i] + mean[i];                                                  \
    }                                                                                                                  \
    return;

/* With constants, so that the compiler unrolls the loops. */
#define AFFINE_FUNCTION(type)                                                                                          \
    static void affine_##type(const void *columns_, const void *mean_, size_t size, size_t count, void *vectors) {     \
        const e_##type *columns = columns_, *mean = mean_;                                                             \
        e_##type *x = vectors;                                                                                         \
        switch (size) {                                                                                                \
        case 2: AFFINE_ROWS(type, 2)                                                                                   \
        case 3: AFFINE_ROWS(type, 3)                                                                                   \
        case 4: AFFINE_ROWS(type, 4)                                                                                   \
        case 5: AFFINE_ROWS(type, 5)                                                                                   \
        case 6: AFFINE_ROWS(type, 6)                                                                                   \
        case 7: AFFINE_ROWS(type, 7)                                                                                   \
        case 8: AFFINE_ROWS(type, 8)                                                                                   \
        default: AFFINE_ROWS(type, size)                                                                               \
        }                                                                                                              \
    }
AFFINE_FUNCTION(float32)
AFFINE_FUNCTION(float64)
