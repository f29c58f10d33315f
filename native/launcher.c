/* The ways in which tscc is called; launcher.h says what it is. */
#include "launcher.h"

static const char *const command_line_tools[] = {
    "status", "report", "explain", "hosts", "stop", "keygen", "install", "verify", "doctor", "top",
    "closure", "completion", "--get-yargs-completions", "--version", "--help", "-h", "--show-hosts",
    "-j", NULL,
};
static const char *const source_and_object_suffixes[] = {
    "c", "i", "C", "cc", "cp", "cpp", "CPP", "cxx", "c++", "ii", "m", "mi", "M", "mm", "mii", "s",
    "S", "sx", "o", NULL,
};
/* Becomes one of the programs in src/cli/. */
static void run_script(const char *name, char **arguments) {
    struct list words = {0};
    add(&words, "node");
    add(&words, text("%s/build/src/cli/%s.js", installation(), name));
    while (*arguments) add(&words, *arguments++);
    int error = exec_node(words.items, environ);
    die(FAILURE, "cannot start node (%s): install Node.js 20.19 or newer", strerror(error));
}

int main(int argc, char **argv) {
    struct command command = {.words = argv, .started = ready_microseconds()};
    const char *name = argc > 0 ? last_component(argv[0]) : "tscc";
    /* Links to this program in bin/, so that all three find node in one way. */
    if (strcmp(name, "tsccd") == 0) run_script("tsccd", argv + 1);
    if (strcmp(name, "tscc-pump") == 0) run_script("pump", argv + 1);
    if (strcmp(name, "tscc") == 0) {
        /* CC="tscc gcc" under CMAKE_C_COMPILER_LAUNCHER=tscc: once is enough. */
        while (argc > 2 && strcmp(last_component(argv[1]), "tscc") == 0) argv++, argc--;
        if (argc < 2) die(BAD_ARGUMENTS, "usage: tscc COMPILER ARGUMENT..., or see tscc --help");
        if (is_one_of(argv[1], command_line_tools)) run_script("main", argv + 1);
        const char *dot = strrchr(last_component(argv[1]), '.');
        bool is_file = dot && is_one_of(dot + 1, source_and_object_suffixes);
        if (is_file || argv[1][0] == '-') argv[0] = "cc"; /* as with distcc */
        else command.words = argv + 1;
        name = command.words[0];
    }
    bool others_first = name != command.words[0]; /* called by a path to a link */
    command.compiler = find_compiler(name, &others_first);
    /* gcc looks for its programs beside what argv[0] leads to: not beside us, or ccache. */
    if (others_first) command.words[0] = (char *)command.compiler;
    signal(SIGCHLD, SIG_DFL); /* ignored, it would hide how children end; gcc does the same */
    struct place place = find_place();
    /*
     * One more try for each way in which a daemon ends. Idle, or killed a moment ago and not quite gone,
     * it closes connections unheard; killed, it leaves those it had to another one. Not for ever, as it
     * may be this very command that kills it.
     */
    for (bool was_unheard = false; place.socket;) {
        bool has_started = false;
        int connection = reach_daemon(&place, &has_started);
        enum ending ending = connection < 0 ? UNHEARD : converse(&command, connection);
        bool *before = ending == LOST ? &command.is_asked_again : &was_unheard;
        bool has_failed = ending == UNHEARD && has_started;
        if (has_failed) note_failed_start(&place);
        if (ending == DECIDED || connection < 0 || has_failed || *before) break;
        *before = true;
    }
    /* Even if TSCC_FALLBACK=0, which the daemon obeys: a build never breaks because of tscc. */
    run_here(&command, place.state);
}
