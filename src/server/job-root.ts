/**
 * The file system that one compile sees: layers of a client's tree over a bottom layer, under an
 * upper directory of its own (see RootSpec):
 *
 *   STORE/root-1/                 bottom layer, the same for all: what stands for devices, /.tscc
 *         mount/                  where each is mounted, in namespaces of its own
 *   SCRATCH/jobs/SERVER/N/upper/  the source before the compile, its outputs after it
 *                         work/   for overlayfs
 *                         list-N/ a supervisor's (native/runner-tree.c)
 *
 * Paths are a client's words, and so is all that upper holds. Nothing here follows a symbolic link
 * in it, or goes up from a directory: each component on the way is looked at, and only then gone
 * into. That is no race, since nobody else changes upper meanwhile: before the compile it is ours
 * alone, and the runner tells of the end only when all that ran in the root is dead, or killed and
 * without a supervisor to change anything for it.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  renameSync,
  utimesSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { fromText, toText, type ByteString } from '../core/byte-string.js';
import { describeError, errnoCode } from '../core/errors.js';
import { makeDirectory } from '../platform/make-directory.js';
import { systemPath } from '../platform/system-path.js';
import type { JobDirectory } from './job-directory.js';
import type { ClosureDigests, ProgramSource } from './host-programs.js';
import { openContent, type Content } from './job-output.js';
import { JobRefused } from './job-refused.js';
import { ALL_BARRIERS, type Barriers, type RootSpec } from './runner.js';

/** Number in its name: raised when what is in it changes, so that no running job loses it. */
const BOTTOM = 'root-1';
/** Where roots are mounted, each seen by the processes in it only. */
const MOUNT = 'mount';
const PLACEHOLDERS = ['dev/null', 'dev/zero', 'dev/urandom'];

/** What a compiler sees of a file besides its content. */
export interface FileLook {
  /** Permission bits; the owner may read in any case. */
  readonly mode: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
}

/** How roots are sealed off. */
export type RootSealing =
  { readonly kind: 'namespaces'; readonly barriers: Barriers } | { readonly kind: 'supervisor' };

/** A client's tree, as far as a root shows it. */
export interface ShownTree extends ClosureDigests {
  /** Of the host, the top first. */
  readonly layers: readonly ByteString[];
}

/** Makes the roots of one store's jobs. */
export class JobRoots {
  /** Of every root: what this host was seen to have (sandbox.ts). */
  sealing: RootSealing = { kind: 'namespaces', barriers: ALL_BARRIERS };
  readonly #programs: ProgramSource;
  readonly #bottom: ByteString;
  readonly #mount: ByteString;

  private constructor(bottom: ByteString, mount: ByteString, programs: ProgramSource) {
    this.#bottom = bottom;
    this.#mount = mount;
    this.#programs = programs;
  }

  /**
   * Rejects with the system's error when the store cannot be written.
   *
   * @param programs asked for each root that a supervisor seals off
   */
  static async open(store: string, programs: ProgramSource): Promise<JobRoots> {
    const bottom = `${store}/${BOTTOM}`;
    await makeDirectory(store);
    // Several servers may share a store and do this at once: each step may have been done before.
    for (const name of ['', '/dev', '/.tscc']) makeUnlessThere(fromText(bottom + name));
    for (const name of PLACEHOLDERS) writeFileSync(`${bottom}/${name}`, '');
    const mount = fromText(`${store}/${MOUNT}`);
    makeUnlessThere(mount);
    return new JobRoots(fromText(bottom), mount, programs);
  }

  /**
   * @param directory of the job, which removes the root with it
   * @param layers of the client's tree, the top first
   */
  create(
    directory: Pick<JobDirectory, 'path'>,
    layers: readonly ByteString[],
    sealing: RootSealing = this.sealing,
  ): JobRoot {
    const path = fromText(directory.path);
    const upper = `${path}/upper`;
    makeUnlessThere(upper);
    const all = [...layers, this.#bottom];
    if (sealing.kind === 'supervisor') {
      return new JobRoot({ layers: all, upper, seal: { kind: 'supervisor', programs: [] } });
    }
    const work = `${path}/work`;
    makeUnlessThere(work);
    return new JobRoot({ layers: all, upper, seal: { ...sealing, work, mount: this.#mount } });
  }

  /**
   * The root with a client's tree in it, ready to be started in. Rejects with JobRefused.
   *
   * @param above layers over the tree's, the top first
   */
  async show(
    { spec }: JobRoot,
    tree: ShownTree,
    above: readonly ByteString[] = [],
  ): Promise<RootSpec> {
    const layers = [...above, ...tree.layers, ...spec.layers];
    if (spec.seal.kind === 'namespaces') return { ...spec, layers };
    const programs = await this.#programs.programsOf(tree);
    return { ...spec, layers, seal: { kind: 'supervisor', programs } };
  }

  /** A root below a directory whose `upper` becomes a layer of others. */
  createLayer(directory: ByteString): JobRoot {
    const upper = `${directory}/layer`;
    makeUnlessThere(upper);
    return new JobRoot({ layers: [], upper, seal: { kind: 'supervisor', programs: [] } });
  }
}

/** One job's root. Paths are absolute, as seen inside; bad ones throw JobRefused. */
export class JobRoot {
  readonly spec: RootSpec;

  constructor(spec: RootSpec) {
    this.spec = spec;
  }

  /** Makes a directory and those above it, where upper has them not. */
  putDirectory(path: ByteString): void {
    this.#makeDirectories(componentsOf(path), path);
  }

  /** Makes the directories above a file; gives the host's path at which it can be created (`wx`). */
  placeFor(path: ByteString): ByteString {
    const components = componentsOf(path);
    const name = components.pop();
    if (name === undefined) throw refused(path, 'is no name of a file');
    return `${this.#makeDirectories(components, path)}/${name}`;
  }

  /** Sets mode and time of a file that was created at `placeFor(path)`. */
  setLook(path: ByteString, { mode, mtime }: FileLook): void {
    const found = this.#find(path);
    if (found?.stats.isFile() !== true) throw refused(path, 'is no regular file');
    const target = systemPath(found.path);
    chmodSync(target, (mode & 0o777) | 0o400);
    utimesSync(target, mtime, mtime);
  }

  /** Puts a new file in. */
  putFile(path: ByteString, content: Uint8Array, look: FileLook): void {
    writeFileSync(systemPath(this.placeFor(path)), content, { flag: 'wx', mode: 0o600 });
    this.setLook(path, look);
  }

  /**
   * What the compile wrote at a path; undefined when it wrote nothing there or removed it. Rejects
   * with JobRefused when it is no regular file or has more than `limit` bytes.
   *
   * @param what names it in messages
   */
  async openOutput(path: ByteString, limit: number, what: string): Promise<Content | undefined> {
    const found = this.#find(path);
    // A device 0:0 says that a file of a lower layer was removed.
    if (found === undefined || (found.stats.isCharacterDevice() && found.stats.rdev === 0)) {
      return undefined;
    }
    return openContent(systemPath(found.path), limit, what);
  }

  /** Moves a file that the compile wrote to the same path of another root; false: there is none. */
  moveTo(path: ByteString, other: JobRoot): boolean {
    const found = this.#find(path);
    if (found?.stats.isFile() !== true) return false;
    renameSync(systemPath(found.path), systemPath(other.placeFor(path)));
    return true;
  }

  #makeDirectories(components: readonly ByteString[], whole: ByteString): ByteString {
    let path = this.spec.upper;
    for (const component of components) {
      path += `/${component}`;
      if (!makeUnlessThere(path) && lookAt(path)?.isDirectory() !== true) {
        throw refused(whole, 'leads through something that is no directory');
      }
    }
    return path;
  }

  /** Of what is at a path in upper itself; undefined when nothing is, or no way leads there. */
  #find(whole: ByteString): { readonly path: ByteString; readonly stats: Stats } | undefined {
    const components = componentsOf(whole);
    let path = this.spec.upper;
    let stats = lookAt(path);
    for (const component of components) {
      if (stats?.isDirectory() !== true) return undefined;
      path += `/${component}`;
      stats = lookAt(path);
    }
    return stats === undefined ? undefined : { path, stats };
  }
}

/** Names on the way from the root; throws JobRefused unless each leads down. */
function componentsOf(path: ByteString): ByteString[] {
  if (!path.startsWith('/')) throw refused(path, 'is not absolute');
  if (path === '/') return [];
  const components = path.slice(1).split('/');
  for (const name of components) {
    if (name === '' || name === '.' || name === '..' || name.includes('\0')) {
      throw refused(path, 'has an empty name, ‘.’ or ‘..’ in it');
    }
  }
  return components;
}

function lookAt(path: ByteString): Stats | undefined {
  try {
    return lstatSync(systemPath(path), { throwIfNoEntry: false });
  } catch (error) {
    throw new JobRefused('failed', describeError(error));
  }
}

/** False when there is something of that name. */
function makeUnlessThere(path: ByteString): boolean {
  try {
    mkdirSync(systemPath(path), { mode: 0o755 });
    return true;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return false;
    // A name that is too long, for one.
    throw new JobRefused('failed', describeError(error));
  }
}

const refused = (path: ByteString, what: string) =>
  new JobRefused('failed', `the path '${toText(path)}' ${what}`);
