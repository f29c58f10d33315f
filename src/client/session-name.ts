import { randomBytes } from 'node:crypto';

/** A new session's name: sorts by time, unique, and fit for a file name (`20261124-101530-a1b2`). */
export function newSessionName(): string {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\..*/g, '');
  return `${stamp.replace('T', '-')}-${randomBytes(2).toString('hex')}`;
}
