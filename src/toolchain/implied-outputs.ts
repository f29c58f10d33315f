/** Names of files that a command does not spell out, as GCC 11 and later derive them. */
import type { ByteString } from '../core/byte-string.js';
import { baseName } from '../core/byte-string.js';
import type { CommandOption, Language, SideOutput } from './compile-command.js';
import type { CompilerFamily } from './options/option-table.js';

/** `path` without the suffix of its last component; a name without one stays as it is. */
export function withoutSuffix(path: ByteString): ByteString {
  const dot = path.lastIndexOf('.');
  return dot > path.lastIndexOf('/') ? path.slice(0, dot) : path;
}

/**
 * What files that have no name of their own are called after a source, less their suffix: `x` for
 * `d/x.c`. GCC's driver takes no dot at the beginning for that of a suffix.
 */
export function sourceStem(source: ByteString, family: CompilerFamily): ByteString {
  const name = baseName(source);
  return withoutSuffix(name) === '' && family === 'gcc' ? name : withoutSuffix(name);
}

/** Main output without -o: in the current directory, named after the source. */
export function impliedOutput(
  source: ByteString,
  stage: 'object' | 'assembly',
  family: CompilerFamily,
): ByteString {
  return sourceStem(source, family) + (stage === 'object' ? '.o' : '.s');
}

const PREPROCESSED_SUFFIX: Partial<Record<Language, string>> = {
  c: '.i',
  'c++': '.ii',
  'objective-c': '.mi',
  'objective-c++': '.mii',
  'assembler-with-cpp': '.s',
};

interface OutputNames {
  readonly family: CompilerFamily;
  readonly source: ByteString;
  readonly language: Language;
  readonly stage: 'object' | 'assembly';
  /** Value of -o, if given. */
  readonly explicitOutput: ByteString | undefined;
}

/**
 * What the options make besides object and dependency file. Dumps (-fdump-…) that are not given a
 * name are not listed: theirs depend on the passes that run.
 */
export function sideOutputs(
  options: readonly CommandOption[],
  command: OutputNames,
): readonly SideOutput[] {
  const named = withoutSuffix(command.explicitOutput ?? baseName(command.source));
  const inCwd = options.some(({ name, value }) => name === '-save-temps=' && value === 'cwd');
  const base = inCwd ? baseName(named) : named;
  const sourceSuffix = baseName(command.source).slice(
    withoutSuffix(baseName(command.source)).length,
  );
  const found = new Map<string, SideOutput>();
  const add = (option: string, path: ByteString): void => {
    found.set(path, { option, path });
  };
  for (const { name, value } of options) {
    switch (name) {
      case '-gsplit-dwarf':
      case '-gsplit-dwarf=':
        if (command.stage === 'object') add(name, `${base}.dwo`);
        break;
      case '-fstack-usage':
        add(name, `${base}.su`);
        break;
      case '-fcallgraph-info':
      case '-fcallgraph-info=':
        add(name, `${base}.ci`);
        break;
      case '--coverage':
      case '-coverage':
      case '-ftest-coverage':
        add(name, `${base}.gcno`);
        break;
      case '-fsave-optimization-record':
        add(
          name,
          command.family === 'clang'
            ? `${base}.opt.yaml`
            : `${base}${sourceSuffix}.opt-record.json.gz`,
        );
        break;
      case '-fsave-optimization-record=':
        add(name, `${base}.opt.${value ?? ''}`);
        break;
      case '-ftime-trace':
        add(name, `${base}.json`);
        break;
      case '-fdump-':
      case '-fopt-info': {
        const [, file] = /^[^=]*=(.+)$/s.exec(value ?? '') ?? [];
        if (file !== undefined) add(name, file);
        break;
      }
      case '-aux-info':
      case '-aux-info=':
      case '-MJ':
      case '--serialize-diagnostics':
      case '-serialize-diagnostics':
      case '-foptimization-record-file=':
      case '-fprofile-note=':
        add(name, value ?? '');
        break;
      case '-save-temps':
      case '-save-temps=': {
        const suffix = PREPROCESSED_SUFFIX[command.language];
        if (suffix !== undefined) add(name, base + suffix);
        if (command.stage === 'object') add(name, `${base}.s`);
        break;
      }
      default:
    }
  }
  return [...found.values()];
}
