/** Reads a file once for all: which files it names, whatever is defined around it. Pure. */
import { fromBytes, toBytes, type ByteString } from '../core/byte-string.js';
import { assemblerNames } from './assembler-directives.js';
import { inlineAssemblerNames } from './assembler-strings.js';
import { clockWordsIn } from './clock-words.js';
import { withoutComments } from './comments.js';
import { readDirectives } from './directives.js';
import { definitionsIn } from './macro-definitions.js';
import type { ClockWord, FileRequest, MacroDefinition, ScannedFile } from './scanned-file.js';
import { ASSEMBLER_READING, joinLines, readEachWay, type Reading } from './source-reading.js';

/**
 * The requests of a file in every reading that some language standard or compiler may give it:
 * a superset of what one compile finds in it. 'assembler' is a source with or without
 * preprocessor (.S, .s) or what `.include` names, 'c' everything else. Never throws.
 */
export function scan(bytes: Buffer, language: 'c' | 'assembler'): ScannedFile {
  const source = fromBytes(bytes);
  const found = new Findings();
  readEachWay(language === 'assembler' ? ASSEMBLER_READING : 0, (reading) => {
    return readOnce(source, language, reading, found);
  });
  return found.finish();
}

/** Adds what one reading sees to the findings; answers its doubts. */
function readOnce(
  source: ByteString,
  language: 'c' | 'assembler',
  reading: Reading,
  found: Findings,
): Reading {
  const lines = joinLines(source, reading);
  const code = withoutComments(lines, reading);
  const { requests, definitions } = readDirectives(code.text);
  const assembler =
    language === 'assembler'
      ? assemblerNames(code.text, 'source')
      : inlineAssemblerNames(code.text);
  for (const request of requests) found.addRequest(request);
  for (const name of assembler.names) found.addRequest({ kind: 'assembler', name });
  if (assembler.opaque) found.hasOpaqueAssembler = true;
  for (const word of clockWordsIn(code.text)) found.clockWords.add(word);
  found.addDefinitions(definitions);
  return lines.doubts | code.doubts;
}

/** What all readings of a file have found. */
class Findings {
  readonly clockWords = new Set<ClockWord>();
  hasOpaqueAssembler = false;
  readonly #requests = new Map<string, FileRequest>();
  readonly #definitions: ByteString[] = [];

  addRequest(request: FileRequest): void {
    const key = Object.values(request).join('\n');
    if (!this.#requests.has(key)) this.#requests.set(key, ownRequest(request));
  }

  addDefinitions(lines: readonly ByteString[]): void {
    this.#definitions.push(...lines);
  }

  finish(): ScannedFile {
    return new FinishedScan(this, [...this.#requests.values()], own(this.#definitions.join('')));
  }
}

class FinishedScan implements ScannedFile {
  readonly requests: readonly FileRequest[];
  readonly clockWords: ReadonlySet<ClockWord>;
  readonly hasOpaqueAssembler: boolean;
  /** Their lines, until they are asked for. */
  #definitions: ByteString;
  #macros: ReadonlyMap<ByteString, readonly MacroDefinition[]> | undefined;

  constructor(found: Findings, requests: readonly FileRequest[], definitions: ByteString) {
    this.requests = requests;
    this.clockWords = found.clockWords;
    this.hasOpaqueAssembler = found.hasOpaqueAssembler;
    this.#definitions = definitions;
  }

  get macros(): ReadonlyMap<ByteString, readonly MacroDefinition[]> {
    this.#macros ??= definitionsIn(this.#definitions);
    this.#definitions = '';
    return this.#macros;
  }
}

function ownRequest(request: FileRequest): FileRequest {
  return request.kind === 'computed'
    ? { ...request, text: own(request.text) }
    : { ...request, name: own(request.name) };
}

/** A copy that does not keep the text alive from which it was cut. */
function own(text: ByteString): ByteString {
  return fromBytes(toBytes(text));
}
