/* The floating-point environment that values are defined in: round to nearest, no flush to zero, no traps.
 *
 * Other libraries may leave a thread in a different environment; code between `fpenv_enter` and `fpenv_leave` runs in
 * the default one. Reading the register costs a few cycles and writing it about ten times as many, so it is written
 * only if it differs. Between the two calls, only functions of other object files compute floats, so that the compiler
 * cannot move floating-point code past them.
 */
#ifndef KEYRNG_FPENV_H
#define KEYRNG_FPENV_H

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>

#define FPENV_FLAGS 0x3fu /* sticky exception flags */
#define FPENV_DEFAULT 0x1f80u

typedef unsigned int fpenv;
static inline fpenv fpenv_enter(void) {
    fpenv before = _mm_getcsr();
    if ((before & ~FPENV_FLAGS) != FPENV_DEFAULT) _mm_setcsr(FPENV_DEFAULT);
    return before;
}
static inline void fpenv_leave(fpenv before) {
    if ((before & ~FPENV_FLAGS) != FPENV_DEFAULT) _mm_setcsr(before);
}
static inline int fpenv_is_default(void) { return (_mm_getcsr() & ~FPENV_FLAGS) == FPENV_DEFAULT; }

#elif defined(__aarch64__) && defined(__GNUC__)

typedef uint64_t fpenv;
static inline void fpenv_write(fpenv m) { __asm__ volatile("msr fpcr, %0" : : "r"(m) : "memory"); }
static inline fpenv fpenv_enter(void) {
    fpenv before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    if (before) fpenv_write(0);
    return before;
}
static inline void fpenv_leave(fpenv before) {
    if (before) fpenv_write(before);
}
static inline int fpenv_is_default(void) {
    fpenv now;
    __asm__ volatile("mrs %0, fpcr" : "=r"(now));
    return !now;
}

#else
#include <fenv.h>

typedef struct {
    int changed;
    fenv_t before;
} fpenv;
static inline fpenv fpenv_enter(void) {
    fpenv m = {fegetround() != FE_TONEAREST, {0}};
    if (m.changed) fegetenv(&m.before), fesetenv(FE_DFL_ENV);
    return m;
}
static inline void fpenv_leave(fpenv m) {
    if (m.changed) fesetenv(&m.before);
}
static inline int fpenv_is_default(void) { return fegetround() == FE_TONEAREST; }
#endif

#endif
