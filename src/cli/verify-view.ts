/**
 * A view of this host for one program and its children, in which directories can be written without
 * being changed: overlays in a mount namespace, made with unshare(1) and mount(8). Whatever stands
 * there is seen; what is written goes into a scratch directory, which is removed at the end.
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { EXIT, TsccError } from '../core/errors.js';

/**
 * Run in the scratch directory, where `lower/N` leads to the Nth directory: by that name no
 * character of its own can be taken for a separator. Where what is written cannot be kept on the
 * scratch directory's file system (overlays themselves take no such part) it is in memory.
 * userxattr: only such attributes may an unprivileged mount use.
 */
const MOUNT = `
cover() {
  mkdir -p "upper/$1/files" "upper/$1/work" &&
  mount -t overlay -o "userxattr,lowerdir=lower/$1,upperdir=upper/$1/files,workdir=upper/$1/work" tscc "lower/$1/."
}
n=0
while [ -e "lower/$n" ]; do
  cover "$n" 2>/dev/null || { [ "$n" -gt 0 ] || mount -t tmpfs tscc upper; } && cover "$n" || exit 126
  n=$((n + 1))
done
cd / && exec "$@"
`;

export interface WrittenDirectories {
  /** Real paths, none in another. */
  readonly covered: readonly string[];
  /** Those that an overlay would show without what is mounted in them. */
  readonly refused: ReadonlySet<string>;
}

/** @param directories real paths */
export function writtenDirectories(
  directories: Iterable<string>,
  mountPoints: readonly string[],
): WrittenDirectories {
  const refused = new Set<string>();
  const covered: string[] = [];
  for (const directory of [...new Set(directories)].toSorted()) {
    if (covered.some((above) => isIn(directory, above))) continue;
    if (directory === '/' || mountPoints.some((point) => isIn(point, directory))) {
      refused.add(directory);
    } else covered.push(directory);
  }
  return { covered, refused };
}

/** Strictly below. */
export function isIn(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

/** As /proc/self/mountinfo has them, with a few characters as octal numbers. */
export function currentMountPoints(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((path) => path.replaceAll(/\\([0-7]{3})/g, (_, code: string) => octal(code)));
}

const octal = (code: string) => String.fromCharCode(parseInt(code, 8));

export class VerifyView {
  /** Inside the view and outside one and the same. */
  readonly scratch: string;

  /**
   * @param covered real paths of directories that may be written in the view
   */
  constructor(covered: readonly string[]) {
    const places = [tmpdir(), '/tmp', '/var/tmp', '/dev/shm'].flatMap(realPathOf);
    const place = places.find((path) => !covered.some((one) => one === path || isIn(path, one)));
    if (place === undefined) {
      throw new TsccError('no directory for scratch files: set TMPDIR', EXIT.ioError);
    }
    this.scratch = mkdtempSync(`${place}/tscc-verify-`);
    for (const name of ['lower', 'upper', 'run', 'state']) {
      mkdirSync(`${this.scratch}/${name}`, { mode: 0o700 });
    }
    for (const [n, path] of covered.entries()) symlinkSync(path, `${this.scratch}/lower/${n}`);
  }

  /** Runs a program in it to its end; resolves with its exit status, 128+n for a signal. */
  run(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
    // Who is root here may do it as that; others are root of a namespace of their own.
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const words = [...user, '--mount', 'sh', '-c', MOUNT, 'sh', ...command];
    return new Promise((resolve, reject) => {
      const child = spawn('unshare', words, { cwd: this.scratch, env, stdio: 'inherit' });
      child.on('error', (error) => {
        reject(new TsccError(`cannot run unshare (${error.message}); ${INSTEAD}`, EXIT.failure));
      });
      child.on('exit', (code, signal) => {
        resolve(signal === null ? (code ?? EXIT.failure) : 128 + constants.signals[signal]);
      });
    });
  }

  remove(): void {
    for (const name of readdirSync(`${this.scratch}/lower`)) {
      // Made by overlayfs, without any permissions.
      const work = `${this.scratch}/upper/${name}/work/work`;
      if (existsSync(work)) chmodSync(work, 0o700);
    }
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

/** What can be done where no view can be had. */
export const INSTEAD = 'build with TSCC_VERIFY=1000 instead';

function realPathOf(path: string): string[] {
  try {
    return [realpathSync(path)];
  } catch {
    // Not there: no place for anything.
    return [];
  }
}
