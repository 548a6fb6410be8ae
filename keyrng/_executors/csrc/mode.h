/* The floating-point mode that values are defined in: rounding to nearest, nothing flushed to zero, no traps.
 *
 * Another library may have left this thread in another one; what runs between `mode_enter` and `mode_leave` does not
 * see it. Reading the register costs a few cycles, writing it some ten times as many: it is written if it differs.
 * Between the two no float is computed but by functions of other object files, so that no compiler moves it out.
 */
#ifndef KEYRNG_MODE_H
#define KEYRNG_MODE_H

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>

#define MODE_FLAGS 0x3fu /* what has happened: no mode */
#define MODE_DEFAULT 0x1f80u

typedef unsigned int mode;
static inline mode mode_enter(void) {
    mode before = _mm_getcsr();
    if ((before & ~MODE_FLAGS) != MODE_DEFAULT) _mm_setcsr(MODE_DEFAULT);
    return before;
}
static inline void mode_leave(mode before) {
    if ((before & ~MODE_FLAGS) != MODE_DEFAULT) _mm_setcsr(before);
}

#elif defined(__aarch64__) && defined(__GNUC__)

typedef uint64_t mode;
static inline void mode_write(mode m) { __asm__ volatile("msr fpcr, %0" : : "r"(m) : "memory"); }
static inline mode mode_enter(void) {
    mode before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    if (before) mode_write(0);
    return before;
}
static inline void mode_leave(mode before) {
    if (before) mode_write(before);
}

#else
#include <fenv.h>

typedef struct {
    int changed;
    fenv_t before;
} mode;
static inline mode mode_enter(void) {
    mode m = {fegetround() != FE_TONEAREST, {0}};
    if (m.changed) fegetenv(&m.before), fesetenv(FE_DFL_ENV);
    return m;
}
static inline void mode_leave(mode m) {
    if (m.changed) fesetenv(&m.before);
}
#endif

#endif
