/**
 * What a compiler prints when it was not the source that stopped it, but the host that it ran on. A
 * driver ends with status 1 then too, as if the source were in error. Pure.
 *
 * Sources: GCC's gcc.cc (execute), ggc-page.cc and toplev.cc; libiberty's xmalloc.c; gas's messages.c;
 * Clang's Job and LLVM's raw_ostream. In the language of their own; translated ones are not known here,
 * and such a compile is done once more where it was started.
 */

/** Whole lines, without those about a place in a source, which begin with its name and a number. */
const TROUBLES: readonly RegExp[] = [
  // cc1 was killed below its driver.
  /^\S+: (?:fatal error|internal compiler error): .+ signal terminated program \S+$/,
  /^\S+: internal compiler error: .+ \(program \S+\)$/,
  /^\S+: error: unable to execute command: .+$/,
  // It got no memory.
  /^\S+: out of memory allocating \d+ bytes after a total of \d+ bytes$/,
  /^(?:\S+: )?virtual memory exhausted: .+$/,
  /^LLVM ERROR: out of memory.*$/,
  // It could not write what it made.
  /^.*\bfatal error: error (?:writing to|closing) .+: No space left on device$/,
  /^.*\bfatal error: (?:can't|cannot) (?:write|close) .*No space left on device.*$/i,
];

/** Colours and emphasis, as drivers print them where they are asked to. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const ESCAPES = /\x1b\[[0-9;]*[mK]/g;

/** The line in which it says so; undefined: it is the source, as far as can be seen. */
export function hostTrouble(stderr: Uint8Array): string | undefined {
  const text = Buffer.from(stderr).toString('latin1').replaceAll(ESCAPES, '');
  return text.split('\n').find((line) => TROUBLES.some((trouble) => trouble.test(line)));
}
