// The directory in which `npm run package` puts its files together.
import { chmodSync, copyFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Names are relative to the directory; those above a file are made with it. */
export class Stage {
  #directory;

  constructor(directory) {
    this.#directory = directory;
  }

  path(name) {
    const path = `${this.#directory}/${name}`;
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  write(name, text) {
    writeFileSync(this.path(name), text);
  }

  copy(from, name, isProgram = false) {
    copyFileSync(from, this.path(name));
    // What the copy's mode was depends on who unpacked the sources.
    chmodSync(this.path(name), isProgram ? 0o755 : 0o644);
  }

  copyTree(from, name) {
    for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = `${entry.parentPath}/${entry.name}`;
      const isProgram = (statSync(path).mode & 0o100) !== 0;
      this.copy(path, `${name}${path.slice(from.length)}`, isProgram);
    }
  }

  /** Number and bytes of the files below a name. */
  measure(name) {
    const files = readdirSync(this.path(name), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile(),
    );
    const sizes = files.map((entry) => statSync(`${entry.parentPath}/${entry.name}`).size);
    return { files: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  }
}
