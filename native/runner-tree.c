/*
 * The files of a supervised job: what overlayfs would make of its layers (src/server/tree-plan.ts),
 * without a mount. A name is looked for from the top: a directory joins with those of its name below
 * until something else comes; anything but a directory hides what is below; and a device 0:0 says
 * that nothing is there.
 *
 * What was found is remembered, absences too. Lower layers never change, and upper only through
 * here, since the compiler changes nothing by name itself.
 */
#include "supervisor.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

enum { UPPER_LAYER, MAX_LAYERS = 64, BUCKETS = 1 << 13, MAX_NODES = 1 << 19, MAX_LINKS = 40 };
#define BIT(layer) ((uint64_t)1 << (layer))

static int layers[MAX_LAYERS];
static struct node *buckets[BUCKETS], *root, *cwd;
static const struct vector *programs; /* sorted */

const char *path_of(const struct node *n)
{
    static char path[2 * PATH_ROOM];
    char *at = path + sizeof path - 1;
    if (!n->parent) return "/";
    for (; n->parent; n = n->parent) {
        const size_t length = strlen(n->name);
        if ((size_t)(at - path) <= length) give_up("name a file that deep", ENAMETOOLONG);
        at -= length + 1;
        *at = '/';
        memcpy(at + 1, n->name, length);
    }
    return at;
}

const char *below_layer(const struct node *n)
{
    return n->parent ? path_of(n) + 1 : ".";
}

int layer_of(const struct node *n)
{
    return layers[__builtin_ctzll(n->layers)];
}

int upper_layer(void)
{
    return layers[UPPER_LAYER];
}

bool is_in_upper(const struct node *n)
{
    return n->layers & BIT(UPPER_LAYER);
}

/* ---- lookup ---- */

static struct node *new_node(struct node *parent, const char *name)
{
    static size_t count;
    struct node *n = count++ < MAX_NODES ? calloc(1, sizeof *n + strlen(name) + 1) : NULL;
    if (!n) give_up("remember so many names", ENOMEM);
    n->parent = parent;
    strcpy(n->name, name);
    return n;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_program(const char *path)
{
    return bsearch(&path, programs->items, programs->count, sizeof path, compare);
}

static char *target_of(int layer, const char *name)
{
    char target[PATH_ROOM];
    const ssize_t length = readlinkat(layer, name, target, sizeof target - 1);
    char *copy = length < 0 ? NULL : strndup(target, (size_t)length);
    if (!copy) give_up("read a link of the tree", errno);
    return copy;
}

static void look_at(struct node *n)
{
    const char *name = below_layer(n);
    const uint64_t wanted = n->parent->layers;
    for (int i = 0; i < MAX_LAYERS && wanted >> i; i++) {
        struct stat found;
        if (!(wanted & BIT(i))) continue;
        if (fstatat(layers[i], name, &found, AT_SYMLINK_NOFOLLOW)) {
            if (errno == ENOENT) continue;
            give_up("look at a file of the tree", errno);
        }
        if (S_ISDIR(found.st_mode)) {
            n->kind = DIRECTORY;
            n->layers |= BIT(i);
            continue;
        }
        if (n->kind == DIRECTORY || S_ISCHR(found.st_mode)) return;
        n->layers = BIT(i);
        n->kind = S_ISLNK(found.st_mode) ? LINK : REGULAR;
        if (n->kind == LINK) n->target = target_of(layers[i], name);
        else n->is_program = i != UPPER_LAYER && is_program(path_of(n));
        return;
    }
}

static struct node *child_of(struct node *directory, const char *name)
{
    unsigned long hash = (unsigned long)directory / sizeof(struct node);
    for (const char *at = name; *at; at++) hash = (hash ^ (unsigned char)*at) * 1099511628211UL;
    struct node **bucket = &buckets[(hash >> 32) % BUCKETS];
    for (struct node *n = *bucket; n; n = n->next)
        if (n->parent == directory && !strcmp(n->name, name)) return n;
    struct node *n = new_node(directory, name);
    look_at(n);
    n->next = *bucket;
    return *bucket = n;
}

static int step_into(struct node **at, const char *name)
{
    if ((*at)->kind != DIRECTORY) return (*at)->kind == ABSENT ? -ENOENT : -ENOTDIR;
    if (!strcmp(name, "..")) *at = (*at)->parent ? (*at)->parent : *at;
    else if (strcmp(name, ".")) *at = child_of(*at, name);
    return 0;
}

int find_node(const char *path, bool follow, struct node **found)
{
    char ahead[2 * PATH_ROOM], name[NAME_MAX + 1];
    struct node *at = *path == '/' ? root : cwd;
    if (!*path) return -ENOENT;
    if (snprintf(ahead, PATH_ROOM, "%s", path) >= PATH_ROOM) return -ENAMETOOLONG;
    char *rest = ahead;
    for (int links = 0; *(rest += strspn(rest, "/"));) {
        struct node *const directory = at;
        const size_t length = strcspn(rest, "/");
        if (length > NAME_MAX) return -ENAMETOOLONG;
        memcpy(name, rest, length);
        name[length] = 0;
        rest += length;
        const int error = step_into(&at, name);
        if (error) return error;
        if (at->kind != LINK || (!*rest && !follow)) continue;
        if (++links > MAX_LINKS) return -ELOOP;
        const size_t target = strlen(at->target), left = strlen(rest);
        if (target + left >= sizeof ahead) return -ENAMETOOLONG;
        memmove(ahead + target, rest, left + 1);
        memcpy(ahead, at->target, target);
        rest = ahead;
        at = *rest == '/' ? root : directory;
    }
    const bool has_slash = rest[-1] == '/';
    if (has_slash && (at->kind == REGULAR || at->kind == DEVICE)) return -ENOTDIR;
    *found = at;
    return 0;
}

/* ---- upper ---- */

void put_in_upper(struct node *n, enum kind kind)
{
    n->kind = kind;
    n->layers = BIT(UPPER_LAYER);
    n->is_program = false;
}

void remove_node(struct node *n)
{
    n->kind = ABSENT;
    n->layers = 0;
    n->is_program = false;
}

int make_way(struct node *n)
{
    struct node *above = n->parent;
    if (is_in_upper(above)) return 0;
    const int error = make_way(above);
    if (error) return error;
    if (mkdirat(layers[UPPER_LAYER], below_layer(above), 0700)) return -errno;
    above->layers |= BIT(UPPER_LAYER);
    return 0;
}

static int copy(int from, int to, bool with_content)
{
    struct stat look;
    if (fstat(from, &look) || fchmod(to, look.st_mode & 07777)) return -errno;
    for (off_t left = with_content ? look.st_size : 0; left > 0;) {
        const ssize_t n = sendfile(to, from, NULL, (size_t)left);
        if (n <= 0) return n ? -errno : -EIO;
        left -= n;
    }
    return 0;
}

int copy_up(struct node *n, bool with_content)
{
    int error = make_way(n);
    if (error) return error;
    const char *name = below_layer(n);
    const int from = openat(layer_of(n), name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0) return -errno;
    const int how = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    const int to = openat(layers[UPPER_LAYER], name, how, 0600);
    error = to < 0 ? -errno : copy(from, to, with_content);
    close(from);
    if (to >= 0) close(to);
    if (!error) put_in_upper(n, REGULAR);
    return error;
}

/* ---- lists of names ---- */

/* Something of the same name and kind: nobody opens it, who can only read the list. */
static void add_to_list(int list, const struct node *n)
{
    const bool is_made = n->kind == DIRECTORY ? !mkdirat(list, n->name, 0700)
                         : n->kind == LINK    ? !symlinkat(n->target, list, n->name)
                                              : !mknodat(list, n->name, S_IFREG | 0600, 0);
    if (!is_made && errno != EEXIST) give_up("list a directory", errno);
}

static void list_layer(int list, struct node *n, int layer)
{
    const int fd = openat(layer, below_layer(n), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = fd < 0 ? NULL : fdopendir(fd);
    if (!names) give_up("read a directory", errno);
    for (struct dirent *d; (d = readdir(names));) {
        if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..")) continue;
        const struct node *child = child_of(n, d->d_name);
        if (child->kind != ABSENT) add_to_list(list, child);
    }
    closedir(names);
}

/* Where the kernel mounts nothing, nothing but a directory can have a directory's names. */
int list_directory(struct node *n)
{
    static unsigned count;
    char name[32];
    snprintf(name, sizeof name, "../list-%u", ++count);
    if (mkdirat(layers[UPPER_LAYER], name, 0700)) return -errno;
    const int list = openat(layers[UPPER_LAYER], name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list < 0) return -errno;
    for (int i = 0; i < MAX_LAYERS && n->layers >> i; i++)
        if (n->layers & BIT(i)) list_layer(list, n, layers[i]);
    return list;
}

/* ---- the beginning ---- */

static step open_layer(size_t at, const char *path)
{
    if (at == MAX_LAYERS) {
        errno = E2BIG;
        return "have so many layers";
    }
    layers[at] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (layers[at] < 0) return "open a layer";
    root->layers |= BIT(at);
    return NULL;
}

step open_tree(const struct request *r)
{
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/urandom"};
    root = new_node(NULL, "");
    root->kind = DIRECTORY;
    programs = r->readable;
    qsort(programs->items, programs->count, sizeof *programs->items, compare);
    step failed = open_layer(UPPER_LAYER, r->string[UPPER]);
    for (size_t i = 0; !failed && i < r->layers->count; i++)
        failed = open_layer(i + 1, r->layers->items[i]);
    if (failed) return failed;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        struct node *device;
        if (!find_node(devices[i], true, &device) && device->kind == REGULAR) device->kind = DEVICE;
    }
    cwd = root;
    const int error = find_node(r->string[CWD], true, &cwd);
    errno = error ? -error : cwd->kind == ABSENT ? ENOENT : ENOTDIR;
    return error || cwd->kind != DIRECTORY ? "enter the job directory" : NULL;
}
