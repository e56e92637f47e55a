/* Counts the file calls of a process and of its children below some folders, and lets the n-th one fail, write
 * less than asked, or kill a process. Loaded with LD_PRELOAD; controlled by the environment:
 *
 *   TORTURE_SCOPE    folders, separated by colons; calls elsewhere are not counted
 *   TORTURE_PAGE     a file of 64 bytes, mapped by all processes: calls counted, pid of the main process, calls hit
 *   TORTURE_KINDS    kinds of calls to count, as a sum: 1 open to read, 2 open to write, 4 read, 8 write,
 *                    16 sync, 32 change of names or modes, 64 map
 *   TORTURE_AT       number of the call to hit, from 1; 0 hits none
 *   TORTURE_LASTING  1: hit all later calls as well
 *   TORTURE_ERROR    errno of a hit call; -1: write a part only; -2: kill this process; -3: kill the main process
 *   TORTURE_RECORD   a file to append each change to (see record.py for the format)
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN_R = 1, OPEN_W = 2, READ = 4, WRITE = 8, SYNC = 16, NAMES = 32, MAP = 64 };

struct page { uint64_t calls, main_pid, hits; char what[40]; };

static struct page *page;
static char scope[4096];
static uint64_t kinds, at;
static int lasting, error_number, record_fd = -1;

static uint64_t number(const char *name) {
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : 0;
}

__attribute__((visibility("default"))) void torture_reload(void) {
    const char *path = getenv("TORTURE_PAGE"), *folders = getenv("TORTURE_SCOPE"), *record;
    const char *code = getenv("TORTURE_ERROR");
    kinds = 0;
    snprintf(scope, sizeof scope, "%s", folders ? folders : "");
    at = number("TORTURE_AT");
    lasting = (int)number("TORTURE_LASTING");
    error_number = code ? atoi(code) : 0;
    if (path) {
        int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
        if (fd >= 0) {
            void *map = (void *)syscall(SYS_mmap, NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            page = map == MAP_FAILED ? NULL : map;
            syscall(SYS_close, fd);
        }
        if (page) {
            uint64_t none = 0;
            __atomic_compare_exchange_n(&page->main_pid, &none, (uint64_t)getpid(), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        }
    }
    if ((record = getenv("TORTURE_RECORD")))
        record_fd = (int)syscall(SYS_openat, AT_FDCWD, record, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    kinds = number("TORTURE_KINDS");
}

__attribute__((constructor)) static void begin(void) { torture_reload(); }

static int in_scope(const char *path) {
    const char *one = scope;
    while (*one) {
        size_t n = strcspn(one, ":");
        if (n && !strncmp(path, one, n) && (path[n] == '/' || !path[n])) return 1;
        one += n + (one[n] == ':');
    }
    return 0;
}

static int path_of_fd(int fd, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    if (n < 0) return 0;
    out[n] = 0;
    return 1;
}

static int full_path(int folder, const char *name, char *out) {
    if (!name) return 0;
    if (name[0] == '/') {
        snprintf(out, PATH_MAX, "%s", name);
        return 1;
    }
    if (folder == AT_FDCWD) {
        if (syscall(SYS_getcwd, out, PATH_MAX) < 0) return 0;
    } else if (!path_of_fd(folder, out)) {
        return 0;
    }
    size_t n = strlen(out);
    snprintf(out + n, PATH_MAX - n, "/%s", name);
    return 1;
}

/* Count a call of a kind; return whether it is hit. A hit that kills does not return if it kills this process. */
static int hit(int kind, const char *call, const char *path) {
    if (!page || !(kinds & (uint64_t)kind) || !in_scope(path)) return 0;
    uint64_t n = __atomic_add_fetch(&page->calls, 1, __ATOMIC_SEQ_CST);
    if (!at || n < at || (n > at && !lasting)) return 0;
    if (__atomic_add_fetch(&page->hits, 1, __ATOMIC_SEQ_CST) == 1) {
        const char *last = strrchr(path, '/');
        snprintf(page->what, sizeof page->what, "%s %s", call, last ? last + 1 : path);
    }
    if (error_number == -2) kill(getpid(), SIGKILL);
    if (error_number == -3) {
        kill((pid_t)page->main_pid, SIGKILL);
        return 0;
    }
    return 1;
}

static int hit_at(int kind, const char *call, int folder, const char *name) {
    char path[PATH_MAX];
    return page && kinds && full_path(folder, name, path) && hit(kind, call, path);
}

static int hit_fd(int kind, const char *call, int fd) {
    char path[PATH_MAX];
    return page && kinds && path_of_fd(fd, path) && hit(kind, call, path);
}

static int fail(void) {
    errno = error_number > 0 ? error_number : EIO;
    return -1;
}

#include "record.inc"

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define OPEN(name)                                                                                           \
    int name(const char *path, int flags, ...) {                                                             \
        mode_t mode = 0;                                                                                     \
        if (flags & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
        REAL(name);                                                                                          \
        if (hit_at(flags & (O_WRONLY | O_RDWR | O_CREAT) ? OPEN_W : OPEN_R, "open", AT_FDCWD, path)) return fail(); \
        int fd = real(path, flags, mode);                                                                    \
        recorded_open(fd, AT_FDCWD, path, flags);                                                            \
        return fd;                                                                                           \
    }
#define OPENAT(name)                                                                                         \
    int name(int folder, const char *path, int flags, ...) {                                                 \
        mode_t mode = 0;                                                                                     \
        if (flags & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
        REAL(name);                                                                                          \
        if (hit_at(flags & (O_WRONLY | O_RDWR | O_CREAT) ? OPEN_W : OPEN_R, "open", folder, path)) return fail(); \
        int fd = real(folder, path, flags, mode);                                                            \
        recorded_open(fd, folder, path, flags);                                                              \
        return fd;                                                                                           \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

FILE *fopen(const char *path, const char *how) {
    REAL(fopen);
    if (hit_at(strpbrk(how, "wa+") ? OPEN_W : OPEN_R, "fopen", AT_FDCWD, path)) { fail(); return NULL; }
    return real(path, how);
}

FILE *fopen64(const char *path, const char *how) {
    REAL(fopen64);
    if (hit_at(strpbrk(how, "wa+") ? OPEN_W : OPEN_R, "fopen", AT_FDCWD, path)) { fail(); return NULL; }
    return real(path, how);
}

DIR *opendir(const char *path) {
    REAL(opendir);
    if (hit_at(OPEN_R, "opendir", AT_FDCWD, path)) { fail(); return NULL; }
    return real(path);
}

ssize_t read(int fd, void *data, size_t n) {
    REAL(read);
    if (n && hit_fd(READ, "read", fd)) return fail();
    return real(fd, data, n);
}

#define PREAD(name, offset_type)                                                                             \
    ssize_t name(int fd, void *data, size_t n, offset_type where) {                                          \
        REAL(name);                                                                                          \
        if (n && hit_fd(READ, "pread", fd)) return fail();                                                   \
        return real(fd, data, n, where);                                                                     \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

/* How many bytes a hit write writes: none, with an error, or the first half of them. */
#define SHORTENED(n) do { if (error_number != -1 || (n) < 2) return fail(); (n) /= 2; } while (0)

ssize_t write(int fd, const void *data, size_t n) {
    REAL(write);
    if (n && hit_fd(WRITE, "write", fd)) SHORTENED(n);
    off_t before = recording(fd) ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
    ssize_t done = real(fd, data, n);
    recorded_write(fd, data, done, before);
    return done;
}

#define PWRITE(name, offset_type)                                                                            \
    ssize_t name(int fd, const void *data, size_t n, offset_type where) {                                    \
        REAL(name);                                                                                          \
        if (n && hit_fd(WRITE, "pwrite", fd)) SHORTENED(n);                                                  \
        ssize_t done = real(fd, data, n, where);                                                             \
        recorded_write(fd, data, done, (off_t)where);                                                        \
        return done;                                                                                         \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int fd, const struct iovec *parts, int n) {
    REAL(writev);
    if (n && hit_fd(WRITE, "writev", fd)) return fail();
    off_t before = recording(fd) ? (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) : 0;
    ssize_t done = real(fd, parts, n), left = done;
    for (int i = 0; i < n && left > 0; i++) {
        ssize_t here = left < (ssize_t)parts[i].iov_len ? left : (ssize_t)parts[i].iov_len;
        recorded_write(fd, parts[i].iov_base, here, before);
        before += here;
        left -= here;
    }
    return done;
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t n, unsigned flags) {
    REAL(copy_file_range);
    if (hit_fd(WRITE, "copy_file_range", to)) return fail();
    if (recording(to)) { errno = ENOSYS; return -1; } /* the caller copies with write, which is recorded */
    return real(from, from_at, to, to_at, n, flags);
}

ssize_t sendfile(int to, int from, off_t *where, size_t n) {
    static ssize_t (*real)(int, int, off_t *, size_t);
    if (!real) real = (ssize_t (*)(int, int, off_t *, size_t))dlsym(RTLD_NEXT, "sendfile");
    if (hit_fd(WRITE, "sendfile", to)) return fail();
    if (recording(to)) { errno = EINVAL; return -1; }
    return real(to, from, where, n);
}

ssize_t sendfile64(int to, int from, off64_t *where, size_t n) {
    static ssize_t (*real)(int, int, off64_t *, size_t);
    if (!real) real = (ssize_t (*)(int, int, off64_t *, size_t))dlsym(RTLD_NEXT, "sendfile64");
    if (hit_fd(WRITE, "sendfile", to)) return fail();
    if (recording(to)) { errno = EINVAL; return -1; }
    return real(to, from, where, n);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    static int (*real)(int, unsigned long, ...);
    if (!real) real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
    if (request == 0x40049409 && recording(fd)) { errno = EOPNOTSUPP; return -1; } /* FICLONE */
    return real(fd, request, argument);
}

#define TRUNCATE(name, offset_type)                                                                          \
    int name(int fd, offset_type size) {                                                                     \
        REAL(name);                                                                                          \
        if (hit_fd(WRITE, "ftruncate", fd)) return fail();                                                   \
        int failed = real(fd, size);                                                                         \
        if (!failed) recorded_truncate(fd, (off_t)size);                                                     \
        return failed;                                                                                       \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNCING(name)                                                                                        \
    int name(int fd) {                                                                                       \
        REAL(name);                                                                                          \
        if (hit_fd(SYNC, #name, fd)) return fail();                                                          \
        int failed = real(fd);                                                                               \
        if (!failed) recorded_sync(fd);                                                                      \
        return failed;                                                                                       \
    }
SYNCING(fsync)
SYNCING(fdatasync)

#define MAPPING(name, offset_type)                                                                           \
    void *name(void *where, size_t n, int protection, int flags, int fd, offset_type from) {                 \
        REAL(name);                                                                                          \
        if (fd >= 0 && hit_fd(MAP, "mmap", fd)) { fail(); return MAP_FAILED; }                               \
        if (fd >= 0 && (protection & PROT_WRITE) && (flags & MAP_SHARED)) recorded_map(fd);                  \
        return real(where, n, protection, flags, fd, from);                                                  \
    }
MAPPING(mmap, off_t)
MAPPING(mmap64, off64_t)

static int moved(const char *call, int from, const char *old, int to, const char *new) {
    return hit_at(NAMES, call, from, old) || (!page ? 0 : 0) || (to != from && hit_at(NAMES, call, to, new));
}

int rename(const char *old, const char *new) {
    REAL(rename);
    if (moved("rename", AT_FDCWD, old, AT_FDCWD, new)) return fail();
    int failed = real(old, new);
    if (!failed) recorded_names("rename", AT_FDCWD, old, AT_FDCWD, new);
    return failed;
}

int renameat(int from, const char *old, int to, const char *new) {
    REAL(renameat);
    if (moved("rename", from, old, to, new)) return fail();
    int failed = real(from, old, to, new);
    if (!failed) recorded_names("rename", from, old, to, new);
    return failed;
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    REAL(renameat2);
    if (moved("rename", from, old, to, new)) return fail();
    int failed = real(from, old, to, new, flags);
    if (!failed) recorded_names("rename", from, old, to, new);
    return failed;
}

int link(const char *old, const char *new) {
    REAL(link);
    if (moved("link", AT_FDCWD, old, AT_FDCWD, new)) return fail();
    int failed = real(old, new);
    if (!failed) recorded_names("link", AT_FDCWD, old, AT_FDCWD, new);
    return failed;
}

int linkat(int from, const char *old, int to, const char *new, int flags) {
    REAL(linkat);
    if (moved("link", from, old, to, new)) return fail();
    int failed = real(from, old, to, new, flags);
    if (!failed) recorded_names("link", from, old, to, new);
    return failed;
}

int symlink(const char *target, const char *name) {
    REAL(symlink);
    if (hit_at(NAMES, "symlink", AT_FDCWD, name)) return fail();
    int failed = real(target, name);
    if (!failed) recorded_symlink(target, AT_FDCWD, name);
    return failed;
}

int symlinkat(const char *target, int folder, const char *name) {
    REAL(symlinkat);
    if (hit_at(NAMES, "symlink", folder, name)) return fail();
    int failed = real(target, folder, name);
    if (!failed) recorded_symlink(target, folder, name);
    return failed;
}

#define ONE_NAME(name, verb)                                                                                 \
    int name(const char *path) {                                                                             \
        REAL(name);                                                                                          \
        if (hit_at(NAMES, #name, AT_FDCWD, path)) return fail();                                             \
        int failed = real(path);                                                                             \
        if (!failed) recorded_name(verb, AT_FDCWD, path);                                                    \
        return failed;                                                                                       \
    }
ONE_NAME(unlink, "unlink")
ONE_NAME(rmdir, "unlink")

int unlinkat(int folder, const char *path, int flags) {
    REAL(unlinkat);
    if (hit_at(NAMES, "unlink", folder, path)) return fail();
    int failed = real(folder, path, flags);
    if (!failed) recorded_name("unlink", folder, path);
    return failed;
}

int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    if (hit_at(NAMES, "mkdir", AT_FDCWD, path)) return fail();
    int failed = real(path, mode);
    if (!failed) recorded_name("mkdir", AT_FDCWD, path);
    return failed;
}

int mkdirat(int folder, const char *path, mode_t mode) {
    REAL(mkdirat);
    if (hit_at(NAMES, "mkdir", folder, path)) return fail();
    int failed = real(folder, path, mode);
    if (!failed) recorded_name("mkdir", folder, path);
    return failed;
}

int chmod(const char *path, mode_t mode) {
    REAL(chmod);
    if (hit_at(NAMES, "chmod", AT_FDCWD, path)) return fail();
    return real(path, mode);
}

int fchmod(int fd, mode_t mode) {
    REAL(fchmod);
    if (hit_fd(NAMES, "fchmod", fd)) return fail();
    return real(fd, mode);
}

int fchmodat(int folder, const char *path, mode_t mode, int flags) {
    REAL(fchmodat);
    if (hit_at(NAMES, "chmod", folder, path)) return fail();
    return real(folder, path, mode, flags);
}

int flock(int fd, int what) {
    REAL(flock);
    if (hit_fd(NAMES, "flock", fd)) return fail();
    return real(fd, what);
}
