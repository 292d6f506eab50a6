/*
 * slow_flush: a disk whose flush takes longer, for the programs it is preloaded into (LD_PRELOAD, ld.so(8)).
 *
 * fsync and fdatasync do what they do and then wait SLOW_FLUSH_US microseconds more; nothing is skipped. Every process
 * writes nothing and counts nothing: the bench proves the delay by the time of a commit.
 * What must not enter: any other system call, any knowledge of PostgreSQL.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int then_wait(int result) {
    static long delay_us = -1;
    int kept = errno;
    if (delay_us < 0) {
        const char *said = getenv("SLOW_FLUSH_US");
        delay_us = said ? atol(said) : 0;
    }
    struct timespec left = { .tv_sec = delay_us / 1000000, .tv_nsec = delay_us % 1000000 * 1000 };
    while (nanosleep(&left, &left) == -1 && errno == EINTR) continue;
    errno = kept;
    return result;
}

int fsync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return then_wait(real(fd));
}

int fdatasync(int fd) {
    static int (*real)(int);
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return then_wait(real(fd));
}
