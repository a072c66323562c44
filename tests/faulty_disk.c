/* A disk that fails: calls that change files below a folder are counted, and one of them, or it and all later ones, fails
 * with an error of the operating system, or the process is sent a signal in it. Loaded before the C library (LD_PRELOAD),
 * so that Python, its extension modules and what they link to all meet it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { OPEN = 1, WRITE = 2, FLUSH = 4, RENAME = 8, MKDIR = 16, UNLINK = 32, READ = 64, DATE = 128 };

/* Shared with the process that forks, which reads it when the child is gone. */
static struct state {
    atomic_long calls;
    long first, last;
    int kinds, error, signal;
    atomic_int failed;
    char under[PATH_MAX];
    char which[64];
} *state;

__attribute__((constructor)) static void begin(void) {
    state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (state == MAP_FAILED) abort();
}

/* Call number `first` (from 1) to `last` of the given kinds fail with `error`, or raise `signal`, if that is no zero. */
void faulty_arm(const char *under, int kinds, long first, long last, int error, int signal) {
    snprintf(state->under, sizeof state->under, "%s", under);
    state->first = first, state->last = last, state->error = error, state->signal = signal;
    state->calls = 0;
    state->failed = 0;
    state->which[0] = 0;
    state->kinds = kinds;
}
void faulty_disarm(void) { state->kinds = 0; }
long faulty_calls(void) { return state->calls; }
int faulty_failed(void) { return state->failed; }
const char *faulty_which(void) { return state->which; }

static int is_below(const char *path) {
    size_t length = strlen(state->under);
    return strncmp(path, state->under, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int of_path(int folder, const char *path) {
    char full[2 * PATH_MAX], place[PATH_MAX], link[64];
    if (path[0] == '/') return is_below(path);
    if (folder == AT_FDCWD) {
        if (!getcwd(place, sizeof place)) return 0;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t size = readlink(link, place, sizeof place - 1);
        if (size < 0) return 0;
        place[size] = 0;
    }
    snprintf(full, sizeof full, "%s/%s", place, path);
    return is_below(full);
}

static int of_file(int file) {
    char place[PATH_MAX], link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, place, sizeof place - 1);
    if (size < 0) return 0;
    place[size] = 0;
    return is_below(place);
}

/* Whether this call fails; -1 where it is the last before all fail, and is done by half. */
static int fails(enum kind kind, const char *name) {
    long call = atomic_fetch_add(&state->calls, 1) + 1;
    if (call < state->first || call > state->last) return 0;
    if (!atomic_fetch_add(&state->failed, 1)) snprintf(state->which, sizeof state->which, "%s", name);
    if (state->signal && kind != WRITE) {
        kill(getpid(), state->signal);
        return 0;
    }
    if (kind == WRITE && call == state->first && (state->signal || state->last > state->first)) return -1;
    errno = state->error;
    return 1;
}

/* A change that cannot be done by half. */
static int undone(void) {
    if (state->signal) kill(getpid(), state->signal);
    errno = state->error;
    return -1;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)
#define WATCHED(kind, below) (state && (state->kinds & (kind)) && (below))
#define FAIL(kind, below, name) if (WATCHED(kind, below) && fails(kind, name)) return -1

static ssize_t by_half(ssize_t (*write_half)(int, const void *, size_t), int file, const void *from, size_t size) {
    ssize_t done = size > 1 ? write_half(file, from, size / 2) : -1;
    if (state->signal) kill(getpid(), state->signal);
    if (done < 0) errno = state->error ? state->error : EINTR;
    return done;
}

ssize_t write(int file, const void *from, size_t size) {
    REAL(ssize_t, write, int, const void *, size_t);
    if (WATCHED(WRITE, of_file(file))) {
        int failed = fails(WRITE, "write");
        if (failed) return failed > 0 ? -1 : by_half(real, file, from, size);
    }
    return real(file, from, size);
}
ssize_t pwrite(int file, const void *from, size_t size, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    if (WATCHED(WRITE, of_file(file))) {
        int failed = fails(WRITE, "pwrite");
        if (failed > 0) return -1;
        if (failed) {
            ssize_t done = size > 1 ? real(file, from, size / 2, at) : -1;
            if (state->signal) kill(getpid(), state->signal);
            if (done < 0) errno = state->error;
            return done;
        }
    }
    return real(file, from, size, at);
}
ssize_t pwrite64(int file, const void *from, size_t size, off_t at) { return pwrite(file, from, size, at); }
ssize_t writev(int file, const struct iovec *from, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    if (WATCHED(WRITE, of_file(file)) && fails(WRITE, "writev")) return undone();
    return real(file, from, count);
}
ssize_t read(int file, void *to, size_t size) {
    REAL(ssize_t, read, int, void *, size_t);
    FAIL(READ, of_file(file), "read");
    return real(file, to, size);
}
ssize_t pread64(int file, void *to, size_t size, off_t at) {
    REAL(ssize_t, pread64, int, void *, size_t, off_t);
    FAIL(READ, of_file(file), "pread");
    return real(file, to, size, at);
}
ssize_t pread(int file, void *to, size_t size, off_t at) { return pread64(file, to, size, at); }

static int opened(int folder, const char *path, int flags, mode_t mode) {
    REAL(int, openat64, int, const char *, int, ...);
    int changes = flags & (O_CREAT | O_TRUNC) || (flags & O_ACCMODE) != O_RDONLY;
    enum kind kind = changes ? OPEN : READ;
    FAIL(kind, of_path(folder, path), "open");
    return real(folder, path, flags, mode);
}
static mode_t mode_of(int flags, va_list more) {
    return flags & (O_CREAT | __O_TMPFILE) ? va_arg(more, mode_t) : 0;
}
#define OPENED(name, ...) \
    int name(__VA_ARGS__, int flags, ...) { \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = mode_of(flags, more); \
        va_end(more); \
        return opened(folder, path, flags, mode); \
    }
OPENED(openat, int folder, const char *path)
OPENED(openat64, int folder, const char *path)
#define folder AT_FDCWD
OPENED(open, const char *path)
OPENED(open64, const char *path)
#undef folder
FILE *fopen64(const char *path, const char *mode) {
    REAL(FILE *, fopen64, const char *, const char *);
    enum kind kind = strpbrk(mode, "wa+") ? OPEN : READ;
    if (WATCHED(kind, of_path(AT_FDCWD, path)) && fails(kind, "fopen")) return NULL;
    return real(path, mode);
}
FILE *fopen(const char *path, const char *mode) { return fopen64(path, mode); }

int fsync(int file) {
    REAL(int, fsync, int);
    FAIL(FLUSH, of_file(file), "fsync");
    return real(file);
}
int fdatasync(int file) {
    REAL(int, fdatasync, int);
    FAIL(FLUSH, of_file(file), "fdatasync");
    return real(file);
}
int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    FAIL(RENAME, of_path(AT_FDCWD, to), "rename");
    return real(from, to);
}
int renameat(int source, const char *from, int target, const char *to) {
    REAL(int, renameat, int, const char *, int, const char *);
    FAIL(RENAME, of_path(target, to), "rename");
    return real(source, from, target, to);
}
int renameat2(int source, const char *from, int target, const char *to, unsigned flags) {
    REAL(int, renameat2, int, const char *, int, const char *, unsigned);
    FAIL(RENAME, of_path(target, to), "rename");
    return real(source, from, target, to, flags);
}
/* A folder that is there is not made. */
static int is_new(int place, const char *path) {
    struct stat found;
    return fstatat(place, path, &found, 0) != 0;
}
int mkdir(const char *path, mode_t mode) {
    REAL(int, mkdir, const char *, mode_t);
    FAIL(MKDIR, of_path(AT_FDCWD, path) && is_new(AT_FDCWD, path), "mkdir");
    return real(path, mode);
}
int mkdirat(int place, const char *path, mode_t mode) {
    REAL(int, mkdirat, int, const char *, mode_t);
    FAIL(MKDIR, of_path(place, path) && is_new(place, path), "mkdir");
    return real(place, path, mode);
}
int unlink(const char *path) {
    REAL(int, unlink, const char *);
    FAIL(UNLINK, of_path(AT_FDCWD, path), "unlink");
    return real(path);
}
int unlinkat(int place, const char *path, int flags) {
    REAL(int, unlinkat, int, const char *, int);
    FAIL(UNLINK, of_path(place, path), "unlink");
    return real(place, path, flags);
}
int rmdir(const char *path) {
    REAL(int, rmdir, const char *);
    FAIL(UNLINK, of_path(AT_FDCWD, path), "rmdir");
    return real(path);
}
int ftruncate64(int file, off_t size) {
    REAL(int, ftruncate64, int, off_t);
    if (WATCHED(WRITE, of_file(file)) && fails(WRITE, "ftruncate")) return undone();
    return real(file, size);
}
int ftruncate(int file, off_t size) { return ftruncate64(file, size); }
int utimensat(int place, const char *path, const struct timespec times[2], int flags) {
    REAL(int, utimensat, int, const char *, const struct timespec *, int);
    FAIL(DATE, of_path(place, path), "utimensat");
    return real(place, path, times, flags);
}
