/*
 * A limiter as it is often written, to compare with: each thread has a blocking connection, and each decision is one EVALSHA
 * that waits for its answer.
 *
 *     NaiveWrapper PORT SCRIPT THREADS SECONDS SUBJECTS
 *
 * It asks for SUBJECTS subjects at random, 100 requests a minute each, and prints one line of JSON. SUBJECTS of 1 is one subject
 * that nothing limits.
 */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAMPLES = 1 << 20, WARM_UP_PARTS = 4 };

static int port;
static char sha[41];
static long subjects;
static atomic_int measuring;
static atomic_int over;

struct caller {
    pthread_t thread;
    uint64_t random;
    /* All that it asked, and what it asked while the measurement ran. */
    uint64_t asked;
    uint64_t decisions;
    uint64_t errors;
    /* The newest SAMPLES times, in nanoseconds. */
    uint32_t *times;
};

static uint64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static redisContext *connected(void)
{
    redisContext *redis = redisConnect("127.0.0.1", port);
    if (redis == NULL || redis->err) {
        fprintf(stderr, "NaiveWrapper: no connection to port %d\n", port);
        exit(3);
    }
    return redis;
}

static void *ask(void *argument)
{
    struct caller *caller = argument;
    redisContext *redis = connected();
    const char *interval = subjects == 1 ? "1" : "600000";
    const char *burst = subjects == 1 ? "3600000000" : "60000000";
    while (!atomic_load(&over)) {
        long subject = (long)(next_random(&caller->random) % (uint64_t)subjects);
        uint64_t start = now(CLOCK_MONOTONIC);
        redisReply *reply = redisCommand(redis, "EVALSHA %s 1 naive:{a:s%ld} %s %s 1", sha, subject, interval, burst);
        uint64_t end = now(CLOCK_MONOTONIC);
        caller->asked++;
        int failed = reply == NULL || reply->type != REDIS_REPLY_ARRAY;
        if (atomic_load(&measuring)) {
            if (failed)
                caller->errors++;
            else
                caller->times[caller->decisions++ % SAMPLES] = (uint32_t)(end - start);
        }
        freeReplyObject(reply);
        if (redis->err)
            break;
    }
    redisFree(redis);
    return NULL;
}

/* Loads the script from a file and notes its SHA-1. Ends the process when it cannot. */
static void load(const char *path)
{
    char text[8192];
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(text, 1, sizeof text, file) : 0;
    redisContext *redis = connected();
    redisReply *reply = redisCommand(redis, "SCRIPT LOAD %b", text, length);
    if (length == 0 || length == sizeof text || reply == NULL || reply->type != REDIS_REPLY_STRING || reply->len != 40) {
        fprintf(stderr, "NaiveWrapper: %s cannot be loaded\n", path);
        exit(2);
    }
    memcpy(sha, reply->str, 41);
    fclose(file);
    freeReplyObject(reply);
    redisFree(redis);
}

static int by_size(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void wait_seconds(double seconds)
{
    struct timespec time = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    nanosleep(&time, NULL);
}

int main(int count, char **arguments)
{
    if (count != 6) {
        fprintf(stderr, "usage: NaiveWrapper PORT SCRIPT THREADS SECONDS SUBJECTS\n");
        return 2;
    }
    port = atoi(arguments[1]);
    int threads = atoi(arguments[3]);
    double seconds = atof(arguments[4]);
    subjects = atol(arguments[5]);
    if (threads < 1 || threads > 256 || seconds <= 0 || subjects < 1) {
        fprintf(stderr, "NaiveWrapper: expected 1 to 256 threads, and some seconds and subjects\n");
        return 2;
    }
    load(arguments[2]);

    struct caller *callers = calloc((size_t)threads, sizeof *callers);
    for (int index = 0; index < threads; index++) {
        callers[index].random = (uint64_t)index * 0x9E3779B97F4A7C15u + 1;
        callers[index].times = calloc(SAMPLES, sizeof(uint32_t));
        pthread_create(&callers[index].thread, NULL, ask, &callers[index]);
    }
    wait_seconds(seconds / WARM_UP_PARTS);
    atomic_store(&measuring, 1);
    uint64_t start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    wait_seconds(seconds);
    atomic_store(&measuring, 0);
    uint64_t elapsed = now(CLOCK_MONOTONIC) - start;
    cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    atomic_store(&over, 1);

    uint64_t asked = 0, decisions = 0, errors = 0;
    size_t samples = 0;
    uint32_t *times = calloc((size_t)threads * SAMPLES, sizeof *times);
    for (int index = 0; index < threads; index++) {
        pthread_join(callers[index].thread, NULL);
        size_t kept = callers[index].decisions < SAMPLES ? callers[index].decisions : SAMPLES;
        memcpy(times + samples, callers[index].times, kept * sizeof *times);
        samples += kept;
        asked += callers[index].asked;
        decisions += callers[index].decisions;
        errors += callers[index].errors;
    }
    if (samples == 0) {
        fprintf(stderr, "NaiveWrapper: no decision was made\n");
        return 3;
    }
    qsort(times, samples, sizeof *times, by_size);
    printf("{\"decisions_per_second\":%.1f,\"asked\":%llu,\"errors\":%llu,", (double)decisions * 1e9 / (double)elapsed,
           (unsigned long long)asked, (unsigned long long)errors);
    printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"client_cpu_us\":%.3f}\n", times[samples / 2] / 1e3,
           times[samples * 99 / 100] / 1e3, times[samples * 999 / 1000] / 1e3, (double)cpu / 1e3 / (double)decisions);
    return 0;
}
