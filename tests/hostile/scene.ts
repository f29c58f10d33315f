/** What a hostile client would like to reach on a server, and whether it did. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Test } from 'tap';

/** In every file that no client may read. */
export const SECRET = 'sEcrEt-0f-the-server';

export class Scene {
  readonly directory = mkdtempSync(`${tmpdir()}/tscc-hostile-`);
  readonly secret = `${this.directory}/secret`;
  readonly trap = `${this.directory}/trap`;
  readonly program = `${this.trap}/program`;
  /** Where nothing may be written. */
  readonly #out = `${this.directory}/out`;
  readonly #ran = `${this.directory}/ran`;

  constructor(t: Pick<Test, 'teardown'>) {
    t.teardown(() => rmSync(this.directory, { recursive: true }));
    for (const name of [this.trap, this.#out, this.#ran]) mkdirSync(name);
    writeFileSync(this.secret, `${SECRET}\n`, { mode: 0o600 });
    for (const name of ['program', 'program.so', 'as', 'cc1', 'cc1plus', 'collect2', 'objcopy']) {
      const script = `#!/bin/sh\necho ${name} >${this.#ran}/$$\nexec "$@"\n`;
      writeFileSync(`${this.trap}/${name}`, script, { mode: 0o755 });
    }
    writeFileSync(`${this.trap}/specs`, `*cc1:\n-wrapper ${this.program}\n`);
  }

  /** A file that must not come to be. */
  get out(): string {
    return `${this.#out}/file`;
  }

  /** Puts this scene's paths into a vector's text. */
  fill(text: string): string {
    return text
      .replaceAll('{prog}', this.program)
      .replaceAll('{dir}', this.trap)
      .replaceAll('{out}', this.out)
      .replaceAll('{secret}', this.secret);
  }

  /** Traces of what was run or written; empty if all went well. */
  traces(): string[] {
    const list = (path: string) => (existsSync(path) ? readdirSync(path) : [`${path} is gone`]);
    return [...list(this.#out), ...list(this.#ran)];
  }
}
