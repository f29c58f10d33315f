/** Giving root away, for good. */
import { accessSync, constants } from 'node:fs';
import { userInfo, type UserInfo } from 'node:os';
import { describeError, EXIT, TsccError } from '../core/errors.js';

/** Left out of @types/node. */
interface WithGroups {
  initgroups?(user: number, group: number): void;
}

/**
 * Makes this process the user's, groups included, and gives their home directory, undefined
 * when they have none that can be written. Throws a TsccError for a user that is not known or
 * cannot be become.
 *
 * @param user name, or number, of a user in the system's list
 */
export function becomeUser(user: string): string | undefined {
  if (process.geteuid?.() !== 0) {
    const { username, uid } = userInfo();
    if (user !== username && user !== String(uid)) {
      throw failed(user, `only root can, and this is ${username}`);
    }
  } else {
    try {
      const { uid, gid } = lookUp(user);
      (process as WithGroups).initgroups?.(uid, gid);
      process.setgid?.(gid);
      process.setuid?.(uid);
    } catch (error) {
      throw failed(user, describeError(error));
    }
  }
  const { homedir } = userInfo();
  return isWritable(homedir) ? homedir : undefined;
}

/** The system's list is asked for the effective user only, so be that user for a moment. */
function lookUp(user: string): UserInfo<string> {
  process.seteuid?.(/^\d+$/.test(user) ? Number(user) : user);
  try {
    return userInfo();
  } finally {
    process.seteuid?.(0);
  }
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    // System users often have a home that is not there.
    return false;
  }
}

function failed(user: string, why: string): TsccError {
  return new TsccError(`cannot become --user ${user}: ${why}`, EXIT.setUidFailed);
}
