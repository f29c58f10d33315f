/**
 * What a server tells of its host to whom asks, for `tscc doctor`; docs/protocol.md §2. What the
 * facts mean, and what to do about them, is the asker's affair. Pure.
 */
import { WIRE } from '../core/limits.js';
import type { MessageFields } from './message-fields.js';

export interface AboutQuery {
  readonly kind: 'about-query';
}

export interface About {
  readonly kind: 'about';
  /** The server's clock, in milliseconds since the epoch. */
  readonly time: number;
  /** Release of the kernel, as `uname -r` has it. */
  readonly kernel: string;
  /** Its compilers run as root. */
  readonly isRoot: boolean;
  /** Docker's or Podman's mark is there. */
  readonly isContainer: boolean;
  /** The sysctls that decide about namespaces; null where this kernel has none of that name. */
  readonly maxUserNamespaces: number | null;
  readonly unprivilegedUsernsClone: number | null;
  readonly apparmorRestrictUserns: number | null;
  /** Whether the kernel has Landlock switched on; null where it does not tell. */
  readonly hasLandlock: boolean | null;
  /** Bytes of the store: used for contents, allowed for them, and free on its disk. */
  readonly storeBytes: number;
  readonly storeLimit: number;
  readonly storeFree: number;
  /** Kind of the store's file system: statfs's magic number. */
  readonly storeFileSystem: number;
}

export function decodeAbout(fields: MessageFields): About {
  return {
    kind: 'about',
    time: fields.nonNegative('time'),
    kernel: fields.text('kernel', WIRE.nameBytes),
    isRoot: fields.boolean('isRoot'),
    isContainer: fields.boolean('isContainer'),
    maxUserNamespaces: optional(fields, 'maxUserNamespaces'),
    unprivilegedUsernsClone: optional(fields, 'unprivilegedUsernsClone'),
    apparmorRestrictUserns: optional(fields, 'apparmorRestrictUserns'),
    hasLandlock: fields.isNull('hasLandlock') ? null : fields.boolean('hasLandlock'),
    storeBytes: fields.integer('storeBytes', Number.MAX_SAFE_INTEGER),
    storeLimit: fields.integer('storeLimit', Number.MAX_SAFE_INTEGER),
    storeFree: fields.integer('storeFree', Number.MAX_SAFE_INTEGER),
    storeFileSystem: fields.integer('storeFileSystem', 0xffff_ffff),
  };
}

function optional(fields: MessageFields, name: string): number | null {
  return fields.isNull(name) ? null : fields.integer(name, Number.MAX_SAFE_INTEGER);
}
