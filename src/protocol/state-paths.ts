/**
 * Where a user's state directory and the session daemon's socket are: the TypeScript twin of what
 * native/launcher-state.c computes (docs/protocol.md §1). Pure but for the real path, which the
 * caller looks up.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** Bytes that a Unix socket's address holds; Node cuts longer ones without an error. */
const SOCKET_PATH_BYTES = 107;

/** `/HASH.sock` */
const SOCKET_NAME_BYTES = 22;

/**
 * Directory of sockets, `BASE` in docs/protocol.md.
 *
 * @param isOwnDirectory whether a path is a directory of this user's own
 */
export function socketDirectory(
  environment: Environment,
  uid: number,
  isOwnDirectory: (path: string) => boolean,
): string {
  const runtime = environment['XDG_RUNTIME_DIR'];
  const base = `${runtime}/tscc`;
  const fits = Buffer.byteLength(base) + SOCKET_NAME_BYTES <= SOCKET_PATH_BYTES;
  const isUsable = runtime?.startsWith('/') === true && fits && isOwnDirectory(runtime);
  return isUsable ? base : `/tmp/tscc-${uid}`;
}

/**
 * State directories in order of preference: the first that can be used is the one.
 *
 * @param base the directory of sockets
 */
export function stateDirectories(environment: Environment, base: string): string[] {
  const own = environment['TSCC_DIR'];
  const stateHome = environment['XDG_STATE_HOME'];
  const home = environment['HOME'];
  const preferred = isSet(own)
    ? own
    : stateHome?.startsWith('/') === true
      ? `${stateHome}/tscc`
      : isSet(home)
        ? `${home}/.local/state/tscc`
        : undefined;
  const last = `${base}/state`;
  return preferred === undefined ? [last] : [preferred, last];
}

/** @param realStateDirectory the state directory without symbolic links, in UTF-8 */
export function socketPath(base: string, realStateDirectory: string): string {
  return `${base}/${fnv1a64(Buffer.from(realStateDirectory))}.sock`;
}

/** What a program of ours needs so that it finds this very state directory, and daemon. */
export function environmentOf(
  realStateDirectory: string,
  socket: string,
): Readonly<Record<string, string>> {
  const runtime = /^(.*)\/tscc\/[^/]*$/.exec(socket)?.[1];
  const own = { TSCC_DIR: realStateDirectory };
  return runtime === undefined ? own : { ...own, XDG_RUNTIME_DIR: runtime };
}

const FNV_OFFSET = 0xcbf29ce484222325n;
const FNV_PRIME = 0x100000001b3n;

/** FNV-1a, 64 bits, as 16 hex digits. */
export function fnv1a64(bytes: Uint8Array): string {
  let hash = FNV_OFFSET;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * FNV_PRIME);
  return hash.toString(16).padStart(16, '0');
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
