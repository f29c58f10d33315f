/** What a preprocessed source tells about how it may travel. Pure searches over bytes. */

/**
 * Whether inline assembly may read a file: `.incbin` or `.include`, also when the directive is
 * pieced together from adjacent string literals (`".inc" "bin"`). The server would look for the
 * file on its own disk. A hit in ordinary text costs one local compile.
 */
export function mayReadFiles(source: Buffer): boolean {
  for (let at = source.indexOf('.inc'); at >= 0; at = source.indexOf('.inc', at + 4)) {
    const next = source.toString('latin1', at + 4, at + 8);
    if (/^(bin|lude|b?"|l?u?d?"|\\)/.test(next)) return true;
  }
  return false;
}

/**
 * Macros whose value depends on the machine or file that expands them. Under -fdirectives-only
 * they would be expanded by the server, so a source that names one is preprocessed fully here.
 */
const EXPANDED_HERE = ['__DATE__', '__TIME__', '__TIMESTAMP__', '__BASE_FILE__'];

export function needsFullExpansion(source: Buffer): boolean {
  return EXPANDED_HERE.some((name) => source.includes(name));
}
