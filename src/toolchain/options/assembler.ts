/**
 * The sub-table of -Wa, and -Xassembler: GNU as on x86, ARM and AArch64, and the subset of it that
 * Clang's own assembler reads. What lists, reads or writes files (-a…, --MD, -I, -o, @file, a bare
 * file name), prints (--statistics, -v), changes the language (-M) or describes the
 * temporary .s file in debug information (-g, --gdwarf-5) is not here.
 */

const FLAGS = new Set(
  (
    '--noexecstack --execstack --32 --64 --x32 --divide --fatal-warnings --warn --no-warn -W ' +
    '--compress-debug-sections --nocompress-debug-sections --no-pad-sections ' +
    '--keep-locals -L --strip-local-absolute --reduce-memory-overheads --sectname-subst ' +
    '--traditional-format -R -J -Z -f -n -q -k -K -EB -EL'
  ).split(' '),
);

/** Names up to and including `=`, followed by a word. */
const VALUED = new Set(
  (
    '--compress-debug-sections= --elf-stt-common= --generate-missing-build-notes= --size-check= ' +
    '--hash-size= --multibyte-handling= --scfi='
  ).split(' '),
);

/** A machine switch of GNU as, -mNAME or -mNAME=WORD: no target has one that names a file. */
const MACHINE = /^-m[a-z0-9][a-z0-9+.-]*(?:=[A-Za-z0-9+_.-]*)?$/;
const WORD = /^[A-Za-z0-9+_.-]*$/;
const SYMBOL = /^[A-Za-z_.$][A-Za-z0-9_.$]*=[0-9A-Za-z_.$-]*$/;

/**
 * The first word in a comma list that must not reach an assembler, without its value; undefined if
 * all may.
 */
export function refusedAssemblerWord(value: string): string | undefined {
  const words = value.split(',');
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (FLAGS.has(word) || MACHINE.test(word)) continue;
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals + 1);
    if (equals > 0 && VALUED.has(name) && WORD.test(word.slice(equals + 1))) continue;
    if (word === '--defsym' && SYMBOL.test(words[i + 1] ?? '')) {
      i++;
      continue;
    }
    return name.startsWith('-') ? name : '';
  }
  return undefined;
}
