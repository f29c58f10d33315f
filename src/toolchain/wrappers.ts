/**
 * Programs that run a compiler of the same name elsewhere: found under a compiler's name they are
 * passed by. The launcher's list is in native/launcher-compiler.c; a test compares the two.
 */
export const WRAPPERS: ReadonlySet<string> = new Set([
  'tscc',
  'ccache',
  'sccache',
  'distcc',
  'icecc',
  'icerun',
]);
