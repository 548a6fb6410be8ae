/* Remainders of integers. Part of vector.h. */

/* Processors divide integers one by one. A lane past the end may hold a divisor of 0, which must not trap. */
static inline uint32_w32 mod_uint32_w32(uint32_w32 a, uint32_w32 b) {
    EACH(uint32, w32, AT(uint32, b) ? AT(uint32, a) % AT(uint32, b) : 0)
}
static inline uint64_w64 mod_uint64_w64(uint64_w64 a, uint64_w64 b) {
    EACH(uint64, w64, AT(uint64, b) ? AT(uint64, a) % AT(uint64, b) : 0)
}
#ifdef VECTOR_BYTES
/* Integers below 2**52 as float64: or-ing them into the mantissa takes two operations on any machine. */
#define AS_FLOAT64(x) ((float64_w64)((x) | 0x4330000000000000ull) - 0x1p52)

/* One step of long division, of the remainder with 20 or 12 more bits. The dividend stays below 2**52, so that product
 * and remainder are exact; adding 3 * 2**51 rounds the quotient to nearest, so the remainder is in [-d/2, d/2]. */
static inline float64_w64 mod_step(float64_w64 dividend, float64_w64 d, float64_w64 inverse) {
    return dividend - ((dividend * inverse + 0x1.8p52) - 0x1.8p52) * d;
}
static inline uint32_w64 modwide_half(uint32_w64 h, uint32_w64 l, uint32_w64 d) {
    uint64_w64 low = CONVERT(uint64_w64, l);
    float64_w64 divisor = AS_FLOAT64(CONVERT(uint64_w64, d)), inverse = 1.0 / divisor;
    float64_w64 r = mod_step(AS_FLOAT64(CONVERT(uint64_w64, h)), divisor, inverse);
    r = mod_step(r * 0x1p20 + AS_FLOAT64(low >> 12), divisor, inverse);
    r = mod_step(r * 0x1p12 + AS_FLOAT64(low & 0xfff), divisor, inverse);
    r += (float64_w64)((int64_w64)divisor & (r < 0));
    return CONVERT(uint32_w64, (uint64_w64)(r + 0x1p52));
}
/* In halves of one 64-bit register each, because GCC splits comparisons of wider vectors lane by lane. */
static inline uint32_w32 modwide_uint32_w32(uint32_w32 h, uint32_w32 l, uint32_w32 d) {
    uint32_w64 high[2], low[2], divisor[2];
    memcpy(high, &h, sizeof h), memcpy(low, &l, sizeof l), memcpy(divisor, &d, sizeof d);
    for (int i = 0; i < 2; i++) high[i] = modwide_half(high[i], low[i], divisor[i]);
    memcpy(&h, high, sizeof h);
    return h;
}
#else
static inline uint32_w32 modwide_uint32_w32(uint32_w32 h, uint32_w32 l, uint32_w32 d) {
    return d ? (uint32_t)(((uint64_t)h << 32 | l) % d) : 0;
}
#endif
static inline uint64_t modwide64(uint64_t h, uint64_t l, uint64_t d) {
    if (!d) return 0;
#if defined(VECTOR_BYTES) && defined(__SIZEOF_INT128__)
    return (uint64_t)(((unsigned __int128)h << 64 | l) % d);
#else
    h %= d;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t top = h >> 63;
        h = h << 1 | (l >> bit & 1);
        if (top || h >= d) h -= d;
    }
    return h;
#endif
}
static inline uint64_w64 modwide_each(uint64_w64 h, uint64_w64 l, uint64_w64 d) {
    EACH(uint64, w64, modwide64(AT(uint64, h), AT(uint64, l), AT(uint64, d)))
}
#if defined(VECTOR_BYTES) && VECTOR_BYTES == 64
/* An integer between -2**51 and 2**51 as a float64, and the nearest integer of one. */
#define SIGNED_AS_FLOAT64(x) ((float64_w64)((x) + 0x4338000000000000ull) - 0x1.8p52)
#define NEAREST(x) ((uint64_w64)((x) + 0x1.8p52) - 0x4338000000000000ull)

/* The rest of a division, between -d/2 and d/2, goes on with the next 23 bits. The dividend is exact in 64 bits; its
 * quotient is the nearest integer, or where two are nearly as near one of them. */
static inline uint64_w64 mod_next(uint64_w64 rest, uint64_w64 bits, uint64_w64 d, float64_w64 inverse) {
    float64_w64 dividend = SIGNED_AS_FLOAT64(rest) * 0x1p23 + SIGNED_AS_FLOAT64(bits);
    return (rest << 23) + bits - NEAREST(dividend * inverse) * d;
}
/* For divisors up to 2**40; with narrower vectors this is not faster than a division of each lane. */
static inline uint64_w64 modwide_narrow(uint64_w64 h, uint64_w64 l, uint64_w64 d) {
    const uint64_t mask = (1u << 23) - 1;
    float64_w64 inverse = 1.0 / SIGNED_AS_FLOAT64(d);
    uint64_w64 r = h >> 28;
    r -= NEAREST(SIGNED_AS_FLOAT64(r) * inverse) * d;
    r = mod_next(r, h >> 5 & mask, d, inverse);
    r = mod_next(r, (h & 31) << 18 | l >> 46, d, inverse);
    r = mod_next(r, l >> 23 & mask, d, inverse);
    r = mod_next(r, l & mask, d, inverse);
    return r + (d & -(r >> 63));
}
static inline uint64_w64 modwide_uint64_w64(uint64_w64 h, uint64_w64 l, uint64_w64 d) {
    uint64_t wide = 0;
    for (int i = 0; i < LANES_w64; i++) wide |= (AT(uint64, d) - 1) >> 40;
    return wide ? modwide_each(h, l, d) : modwide_narrow(h, l, d);
}
#else
#define modwide_uint64_w64 modwide_each
#endif
