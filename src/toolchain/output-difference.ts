/**
 * In what two compiles of one source differ: objects section by section, text line by line, other
 * files by offset. Pure.
 */
import { fromBytes, toText } from '../core/byte-string.js';
import { elfSections, type ElfSection } from './elf-sections.js';

/** What a compile leaves, by the name that people know it by: a path, `standard error`, … */
export type CompileProducts = ReadonlyMap<string, Uint8Array>;

/** Names of what was printed, among products. */
export const STDOUT = 'standard output';
export const STDERR = 'standard error';

export interface Difference {
  /**
   * What differs, without its details: of two comparisons those with the same parts differ in the
   * same places.
   */
  readonly part: string;
  /** For people, the part included. */
  readonly text: string;
}

export type Ignored = (file: string, section?: string) => boolean;

/** Characters of a line that are told. */
const SHOWN = 120;

/**
 * @param isIgnored what may differ: a section of a file, or a whole file that has none
 * @returns the first difference of each section or file, in order; empty when all is the same
 */
export function differencesOf(
  remote: CompileProducts,
  local: CompileProducts,
  isIgnored: Ignored = () => false,
): readonly Difference[] {
  const names = new Set([...local.keys(), ...remote.keys()]);
  return [...names].flatMap((name) => {
    const [there, here] = [remote.get(name), local.get(name)];
    if (there === undefined || here === undefined) {
      return [onlyOn(name, name, there === undefined ? 'local' : 'remote')];
    }
    if (Buffer.compare(there, here) === 0) return [];
    const sections = [elfSections(there), elfSections(here)] as const;
    if (sections[0] === undefined || sections[1] === undefined) {
      return isIgnored(name) ? [] : [fileDifference(name, there, here)];
    }
    const found = sectionDifferences(name, sections[0], sections[1]);
    // Alignment between sections, or the headers' order.
    if (found.length === 0) return [fileDifference(name, there, here)];
    return found.filter(({ section }) => !isIgnored(name, section));
  });
}

/** Of what differs that which does not differ between two compiles on one host anyway. */
export function beyondUsual(
  found: readonly Difference[],
  usual: readonly Difference[],
): readonly Difference[] {
  const parts = new Set(usual.map(({ part }) => part));
  return found.filter(({ part }) => !parts.has(part));
}

interface SectionDifference extends Difference {
  readonly section: string;
}

function sectionDifferences(
  file: string,
  remote: readonly ElfSection[],
  local: readonly ElfSection[],
): SectionDifference[] {
  const [there, here] = [numbered(remote), numbered(local)];
  const found: SectionDifference[] = [];
  for (const [key, theirs] of there) {
    if (!here.has(key)) {
      const { name } = theirs;
      found.push({
        section: name,
        ...onlyOn(`${file}: section ${key}`, sectionOf(file, theirs), 'remote'),
      });
    }
  }
  for (const [key, ours] of here) {
    const { name } = ours;
    const part = sectionOf(file, ours);
    const label = `${file}: section ${key}`;
    const theirs = there.get(key);
    if (theirs === undefined) found.push({ section: name, ...onlyOn(label, part, 'local') });
    else {
      const text = contentDifference(theirs, ours);
      if (text !== undefined) found.push({ section: name, part, text: `${label} ${text}` });
    }
  }
  return found;
}

/** Sections by name; of several with one name the second and later have a number. */
function numbered(sections: readonly ElfSection[]): Map<string, ElfSection> {
  const found = new Map<string, ElfSection>();
  const counts = new Map<string, number>();
  for (const section of sections) {
    const { name } = section;
    const n = (counts.get(name) ?? 0) + 1;
    counts.set(name, n);
    if (section.type !== 0) found.set(n === 1 ? name : `${name} #${n}`, section);
  }
  return found;
}

/** Sections of LTO have a random number in their names. */
function sectionOf(file: string, { name }: ElfSection): string {
  return `${file}: ${/^\.gnu\.(?:debug)?lto_/.test(name) ? name.replace(/\.[0-9a-f]+$/, '') : name}`;
}

function contentDifference(remote: ElfSection, local: ElfSection): string | undefined {
  const at = firstDifference(remote.bytes, local.bytes);
  if (at !== undefined) {
    return `at offset 0x${at.toString(16)}: ${sides(hexAt(remote.bytes, at), hexAt(local.bytes, at))}`;
  }
  if (remote.size !== local.size) return `has ${sides(`${remote.size} bytes`, `${local.size}`)}`;
  if (remote.type !== local.type || remote.attributes !== local.attributes) {
    return 'has another type, flags, alignment or link in its header';
  }
  return undefined;
}

function fileDifference(name: string, remote: Uint8Array, local: Uint8Array): Difference {
  const at = firstDifference(remote, local) ?? 0;
  if (isBinary(remote) || isBinary(local)) {
    const bytes = sides(hexAt(remote, at), hexAt(local, at));
    return { part: name, text: `${name} at offset 0x${at.toString(16)}: ${bytes}` };
  }
  const line = Buffer.from(local.subarray(0, at)).toString('latin1').split('\n').length;
  const lines = sides(lineAt(remote, at), lineAt(local, at));
  return { part: name, text: `${name} at line ${line}: ${lines}` };
}

function onlyOn(label: string, part: string, side: 'remote' | 'local'): Difference {
  return {
    part,
    text: `${label} is there on ${side === 'remote' ? 'the server' : 'this host'} only`,
  };
}

function sides(remote: string, local: string): string {
  return `${remote} on the server, ${local} here`;
}

/** Undefined when they are equal; the shorter one's length when it begins the longer one. */
function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  if (Buffer.compare(a, b) === 0) return undefined;
  let at = 0;
  const end = Math.min(a.length, b.length);
  while (at < end && a[at] === b[at]) at++;
  return at;
}

/** The eight bytes there, or what there is of them. */
function hexAt(bytes: Uint8Array, at: number): string {
  const shown = Buffer.from(bytes.subarray(at, at + 8)).toString('hex');
  return shown === '' ? 'the end' : shown.replaceAll(/..(?=.)/g, '$& ');
}

function lineAt(bytes: Uint8Array, at: number): string {
  const from = at === 0 ? 0 : bytes.lastIndexOf(0x0a, at - 1) + 1;
  const end = bytes.indexOf(0x0a, from);
  if (from >= bytes.length) return 'the end';
  const line = bytes.subarray(from, Math.min(end < 0 ? bytes.length : end, from + SHOWN));
  return JSON.stringify(toText(fromBytes(line)));
}

function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 4096).includes(0);
}
