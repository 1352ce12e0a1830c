/* Keeps, in $SYNCED, what a disk is sure of: for each file under $WATCHED, what it held when it was last synced
 * (`INODE.data`); for each folder, which names it held then (`INODE.names`: inode and name a line).
 * Loaded before the C library (LD_PRELOAD), because SQLite syncs without Python's knowing. A copy is made
 * beside and renamed, so that a killed process leaves no torn one. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void names(int handle, int to) {
    int again = openat(handle, ".", O_RDONLY | O_DIRECTORY);
    DIR *folder = fdopendir(again);
    if (!folder) _exit(96);
    for (struct dirent *each; (each = readdir(folder));)
        if (strcmp(each->d_name, ".") && strcmp(each->d_name, ".."))
            dprintf(to, "%lu %s\n", (unsigned long)each->d_ino, each->d_name);
    closedir(folder);
}

static void bytes(int handle, const char *link, int to) {
    /* By the same handle where it can be read: to open and close a file once more would drop SQLite's locks. */
    int readable = (fcntl(handle, F_GETFL) & O_ACCMODE) != O_WRONLY;
    int from = readable ? handle : open(link, O_RDONLY);
    char block[65536];
    ssize_t got;
    off_t at = 0;
    if (from < 0) _exit(97);
    while ((got = pread(from, block, sizeof block, at)) > 0) {
        if (write(to, block, got) != got) _exit(98);
        at += got;
    }
    if (!readable) close(from);
}

static void keep(int handle) {
    const char *watched = getenv("WATCHED"), *synced = getenv("SYNCED");
    char link[64], path[4096], target[4200], beside[4300];
    struct stat state;
    if (!watched || !synced || fstat(handle, &state)) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = 0;
    if (strncmp(path, watched, strlen(watched))) return;
    int folder = S_ISDIR(state.st_mode);
    snprintf(target, sizeof target, "%s/%lu.%s", synced, (unsigned long)state.st_ino, folder ? "names" : "data");
    snprintf(beside, sizeof beside, "%s.part", target);
    int to = open(beside, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (to < 0) _exit(95);
    if (folder) names(handle, to);
    else bytes(handle, link, to);
    close(to);
    if (rename(beside, target)) _exit(99);
}

int fsync(int handle) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int result = real(handle);
    if (result == 0) keep(handle);
    return result;
}

int fdatasync(int handle) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int result = real(handle);
    if (result == 0) keep(handle);
    return result;
}
