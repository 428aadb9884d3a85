/* Moves the wall clock of one process by the microseconds that stand in a file, which may change at any time.
 *
 *     cc -shared -fPIC -O2 -o clock_shim.so clock_shim.c
 *     HEADGATE_CLOCK_FILE=/tmp/offset LD_PRELOAD=./clock_shim.so redis-server
 *
 * The file holds one signed 64-bit integer of the machine's byte order and is mapped, so that a change counts at once.
 * The kernel is asked by system calls: to look the C library's functions up could allocate, and allocators ask for the time.
 * CLOCK_MONOTONIC stays as it is. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *offset;

__attribute__((constructor)) static void map_offset(void) {
    const char *path = getenv("HEADGATE_CLOCK_FILE");
    if (!path) return;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (mapped != MAP_FAILED) offset = mapped;
}

static void move(int64_t *seconds, int64_t *fraction, int64_t fractions) {
    int64_t moved = offset ? *offset : 0;
    *seconds += moved / 1000000;
    *fraction += moved % 1000000 * (fractions / 1000000);
    if (*fraction < 0) {
        *fraction += fractions;
        *seconds -= 1;
    } else if (*fraction >= fractions) {
        *fraction -= fractions;
        *seconds += 1;
    }
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t seconds = now->tv_sec, nanoseconds = now->tv_nsec;
        move(&seconds, &nanoseconds, 1000000000);
        now->tv_sec = seconds;
        now->tv_nsec = nanoseconds;
    }
    return (int)result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return (time_t)-1;
    if (result) *result = exact.tv_sec;
    return exact.tv_sec;
}
