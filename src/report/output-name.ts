/** Names of outputs as commands give them. Pure. */

/** -o's value, or the name that compilers derive; a compile that stayed here has no other record. */
export function outputOf(argv: readonly string[], source: string): string | null {
  for (const [at, word] of argv.entries()) {
    if (word === '-o' || word === '--output') return argv[at + 1] ?? null;
    if (word.startsWith('-o')) return word.slice(2);
    if (word.startsWith('--output=')) return word.slice(9);
  }
  const name = source.slice(source.lastIndexOf('/') + 1);
  if (name === '') return null;
  const dot = name.lastIndexOf('.');
  return `${dot > 0 ? name.slice(0, dot) : name}.${argv.includes('-S') ? 's' : 'o'}`;
}

/** `.` and `..` taken as text; the journal's directories are without symbolic links. */
export function absolutePath(cwd: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${path.startsWith('/') ? '' : cwd}/${path}`.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
