/**
 * Users for single compiles (tier 1), by number: nobody is called so, nothing belongs to them, and no
 * two compiles are the same at a time. Only root can become them.
 */
import { lchownSync } from 'node:fs';
import { SERVER } from '../core/limits.js';
import { JobRefused } from './job-refused.js';

/** One compile's. */
export interface JobUser {
  /** Of user and group. */
  readonly id: number;
  /** Makes a file or directory theirs, a link not followed. Throws the system's error. */
  own(path: string): void;
  /** When no process of theirs is left, and no file. Does nothing the second time. */
  release(): void;
}

export class JobUsers {
  readonly #first: number;
  readonly #taken = new Set<number>();

  /** @param server a number that no other server on this host has: its process id */
  constructor(server: number) {
    const { firstUser, users, serversWithUsers } = SERVER;
    this.#first = firstUser + (server % serversWithUsers) * users;
  }

  /** Throws JobRefused when all are taken. */
  claim(): JobUser {
    const last = this.#first + SERVER.users;
    let id = this.#first;
    while (this.#taken.has(id) && id < last) id++;
    if (id === last) throw new JobRefused('sandbox', `more than ${SERVER.users} compiles at once`);
    this.#taken.add(id);
    return {
      id,
      own: (path) => lchownSync(path, id, id),
      release: () => void this.#taken.delete(id),
    };
  }
}
