/**
 * The socket's second name, which is this daemon's alone. Launchers that are told to preprocess
 * connect to it again; the common name may lead to another daemon by then, or nowhere.
 */
import { linkSync, readdirSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { basename, dirname } from 'node:path';
import { errnoCode } from '../core/errors.js';
import { ownSocketPath } from '../protocol/state-paths.js';

export class OwnSocket {
  readonly path: string;

  /**
   * Throws the system's error.
   *
   * @param socket path of the common name, which leads to our socket now
   * @param id 8 hex digits that no other daemon has
   */
  constructor(socket: string, id: string) {
    this.path = ownSocketPath(socket, id);
    linkSync(socket, this.path);
  }

  /** Names that daemons of this socket left behind when they were killed. */
  removeStale(): void {
    const directory = dirname(this.path);
    const name = basename(this.path);
    const pattern = new RegExp(`^${name.slice(0, -'01234567.src'.length)}[0-9a-f]{8}\\.src$`);
    for (const other of readdirSync(directory)) {
      if (other !== name && pattern.test(other)) removeIfDead(`${directory}/${other}`);
    }
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}

/** A process id would not tell: containers may share the directory. */
function removeIfDead(path: string): void {
  const connection = createConnection(path);
  connection.on('connect', () => connection.destroy());
  connection.on('error', (error) => {
    if (errnoCode(error) === 'ECONNREFUSED') rmSync(path, { force: true });
  });
}
