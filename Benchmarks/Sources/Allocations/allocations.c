/*
 * Counts allocations: malloc and its like of this program stand before those of glibc, whose own functions they call.
 */
#include "allocations.h"
#include <stdatomic.h>
#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong count;

unsigned long allocations(void) { return atomic_load(&count); }

void *malloc(size_t size)
{
    atomic_fetch_add(&count, 1);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    atomic_fetch_add(&count, 1);
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size)
{
    atomic_fetch_add(&count, 1);
    return __libc_realloc(block, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    atomic_fetch_add(&count, 1);
    *block = __libc_memalign(alignment, size);
    return *block == NULL ? 12 : 0;
}
