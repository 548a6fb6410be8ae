/* Compiled once per instruction set, with -DKEYRNG_ISA=name: all generated functions and their tables. */
#include "code.h"
#include "vector.h"

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#endif

#include "functions.inc"
#include "count.h"
#include "sort.h"

/* In this file, so that the compiler uses the shuffles of this instruction set. */
static void pairs(const uint32_t *restrict from, size_t n, uint32_t *restrict first, uint32_t *restrict second) {
    for (size_t i = 0; i < n; i++) first[i] = from[2 * i], second[i] = from[2 * i + 1];
}

#define PASTE(a, b) a##b
#define TABLE(isa) PASTE(keyrng_code_, isa)
#define STRING_(x) #x
#define STRING(x) STRING_(x)

extern const isa_code TABLE(KEYRNG_ISA);
const isa_code TABLE(KEYRNG_ISA) = {STRING(KEYRNG_ISA), maps, algorithms, pairs, count, sort};
