/**
 * What one compiler command means: the vocabulary that argument parsing produces and everything
 * after it consumes. Types only; `parse-command.ts` makes them.
 */
import type { ByteString } from '../core/byte-string.js';
import type { DeclineReason, OtherKind } from '../core/reasons.js';
import type { CompilerFamily } from './options/option-table.js';

/** Languages of the C family, as GCC's -x names them. */
export type Language =
  | 'c'
  | 'c++'
  | 'objective-c'
  | 'objective-c++'
  | 'cpp-output'
  | 'c++-cpp-output'
  | 'objective-c-cpp-output'
  | 'objective-c++-cpp-output'
  | 'assembler'
  | 'assembler-with-cpp';

/** One option of a command, as the option table reads it. */
export interface CommandOption {
  /** Its name in the table, for example `-O`, `-march=`, `-include`, `-Wa,`. */
  readonly name: string;
  /** Its value, or undefined for an option that takes none. */
  readonly value: ByteString | undefined;
  /** The words of the command line that it came from: one, or two where the value is apart. */
  readonly words: readonly ByteString[];
}

/** How the user asked for a dependency file. Only there when the compiler will write one. */
export interface DependencyRequest {
  /** -MD lists system headers too, -MMD does not. */
  readonly systemHeaders: boolean;
  /** Where gcc writes it: the value of -MF, or what gcc derives from -o and the source. */
  readonly path: ByteString;
  /** Target when the command names none: what the compiler puts before the colon, unquoted. */
  readonly defaultTarget: ByteString;
  /** Whether the command names its targets (-MT, -MQ), so that the default is not one of them. */
  readonly hasTarget: boolean;
}

/** A file that the compile makes besides object and dependency file. */
export interface SideOutput {
  /** Option that asks for it. */
  readonly option: string;
  /** Path, as gcc derives it. */
  readonly path: ByteString;
}

/** One translation unit: a command that compiles exactly one source with -c or -S. */
export interface CompileCommand {
  /** Whose option table the words were read by. */
  readonly family: CompilerFamily;
  /** Directory that relative paths are seen from. */
  readonly cwd: ByteString;
  /** argv[0] as the compiler sees it. */
  readonly argv0: ByteString;
  /** The arguments after argv[0], response files expanded. */
  readonly words: readonly ByteString[];
  /** Every option, in order, except -c, -S, -o, -x and the sources. */
  readonly options: readonly CommandOption[];
  /** The source as named on the command line. */
  readonly source: ByteString;
  readonly language: Language;
  /** Value of the -x in force for the source; undefined where its suffix decides. */
  readonly namedLanguage: string | undefined;
  /** -c makes an object, -S an assembly file. */
  readonly stage: 'object' | 'assembly';
  /** Main output: the value of -o, or what gcc derives from the source. */
  readonly output: ByteString;
  /** Whether -o names it. */
  readonly namesOutput: boolean;
  readonly dependencies: DependencyRequest | undefined;
  readonly sideOutputs: readonly SideOutput[];
}

/** What `parseCommand` found. */
export type ParsedCommand =
  | { readonly kind: 'compile'; readonly command: CompileCommand }
  | {
      readonly kind: 'decline';
      readonly reason: DeclineReason;
      readonly source: ByteString;
      /** The command, where it makes a precompiled header that servers can make as well. */
      readonly header?: CompileCommand;
    }
  | { readonly kind: 'other'; readonly other: OtherKind };
