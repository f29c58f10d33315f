/**
 * What a build sent to each server, against what it had to send at least: the sources compiled
 * there, and once each content that the server had no file of its own for. All compressed as the
 * wire has it. The journal says what was sent, the servers' stores say what arrived.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { BROTLI } from '../src/platform/compression.js';
import { parseJournal } from '../src/report/journal.js';

export interface Upload {
  readonly host: string;
  /** Bytes on the wire: jobs with their sources and what they name, and contents of other files. */
  readonly sent: number;
  /** Of these, contents of other files. */
  readonly contents: number;
  /** Bytes that had to be sent. */
  readonly needed: number;
}

/** A server's own files that may stand for a client's are below these. */
const SYSTEM = ['/usr', '/lib', '/lib32', '/lib64', '/libx32', '/opt'];

/**
 * To be asked right after the build: sources are read where they were compiled. One that is gone
 * by then (a configure script's) counts as nothing that had to be sent.
 *
 * @param journal path of the session's journal
 * @param stores directory of a server's store by the server's name in the journal
 */
export function uploadsOf(journal: string, stores: ReadonlyMap<string, string>): Upload[] {
  const lines = [...parseJournal(readFileSync(journal, 'utf8'))];
  const own = ownLooks();
  const sizes = new Map<string, number>();
  const compressed = (path: string, key: string) => {
    const size = sizes.get(key) ?? compressedSize(path);
    sizes.set(key, size);
    return size;
  };
  return [...stores].flatMap(([host, store]) => {
    let [sent, contents, needed] = [0, 0, 0];
    for (const line of lines) {
      if (line.event === 'upload' && line.host === host) contents += line.encodedBytes;
      if (line.event !== 'compile' || line.host !== host) continue;
      sent += line.sentBytes;
      const source = resolve(line.cwd, line.source);
      needed += compressed(source, source);
    }
    for (const { path, digest, look } of blobs(store)) {
      if (!own.has(look)) needed += compressed(path, digest);
    }
    return sent === 0 ? [] : [{ host, sent: sent + contents, contents, needed }];
  });
}

/** Bytes that each remote compile's job has beyond its compressed source; asked as `uploadsOf`. */
export function jobOverheads(journal: string): number[] {
  return [...parseJournal(readFileSync(journal, 'utf8'))].flatMap((line) =>
    line.event === 'compile'
      ? [line.sentBytes - compressedSize(resolve(line.cwd, line.source))]
      : [],
  );
}

/** Of the server whose upload exceeds what was needed by most; 1 is as little as can be. */
export function worstRatio(uploads: readonly Upload[]): number {
  return Math.max(...uploads.map(({ sent, needed }) => sent / needed));
}

function* blobs(store: string) {
  for (const entry of readdirSync(`${store}/blobs-v1`, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = `${store}/blobs-v1/${entry.name}`;
    const { size, mtimeMs } = statSync(path);
    yield { path, digest: entry.name, look: `${size} ${Math.floor(mtimeMs / 1000)}` };
  }
}

/**
 * Looks of the files that this machine, and so each of the servers, has of its own. A blob has the
 * time of the file that it was first wanted for.
 */
function ownLooks(): ReadonlySet<string> {
  const roots = SYSTEM.filter((path) => existsSync(path));
  const found = execFileSync('find', [...roots, '-type', 'f', '-printf', '%s %T@\\n'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return new Set(found.split('\n').map((line) => line.replace(/\.[0-9]+$/, '')));
}

function compressedSize(path: string): number {
  if (!existsSync(path)) return 0;
  const bytes = readFileSync(path);
  return Math.min(bytes.length, brotliCompressSync(bytes, BROTLI).length);
}
