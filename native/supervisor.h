/*
 * A job root without namespaces. The compiler's system calls that name files come to a supervisor
 * by seccomp user notification (runner-notified.c). It looks the names up in the job's layers
 * (runner-tree.c) and answers with descriptors and results (runner-answers.c). No name that the
 * compiler gives is looked up by the kernel, but that of a program to start.
 */
#pragma once
#include "runner.h"

/* Ends the job: better none than one that was told a lie. */
_Noreturn void give_up(step failed, int error);

/* ---- runner-tree.c: what is at which path. Errors of system calls are given as -errno. ---- */

enum kind { ABSENT, REGULAR, DIRECTORY, LINK, DEVICE };

struct node {
    struct node *parent, *next; /* next in the same bucket */
    enum kind kind;
    uint64_t layers; /* a bit for each that has this directory, or for the one that has this file */
    bool is_program; /* this host has the same file at the same path (READABLE) */
    char *target;    /* of a link */
    char name[];
};

enum { PATH_ROOM = 4096 };

step open_tree(const struct request *r);
/* Gives 0 and where a path leads: an absent node is a place where something can be made. */
int find_node(const char *path, bool follow, struct node **found);
/* From the root; valid until the next call of anything here. Without its slash it is the node's
   name below each layer, for the calls that take a directory's descriptor. */
const char *path_of(const struct node *n);
const char *below_layer(const struct node *n);
int layer_of(const struct node *n);
int upper_layer(void);
/* Makes the directories above a node in upper. */
int make_way(struct node *n);
bool is_in_upper(const struct node *n);
/* It is in upper now, and nowhere else. */
void put_in_upper(struct node *n, enum kind kind);
void remove_node(struct node *n);
int copy_up(struct node *n, bool with_content);
/* A descriptor to read a directory's names from. */
int list_directory(struct node *n);

/* ---- runner-answers.c ---- */
void answer_calls(int listener); /* one that is there */
extern const char *working_directory;
extern uint64_t processes_left; /* that may still be begun */

/* ---- runner-notified.c ---- */
int notify_of_calls(void); /* for the process that calls it: the listener, or -1 */
