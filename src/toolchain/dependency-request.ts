/** -MD and its relatives, resolved to one file and its target as each driver does. */
import type { ByteString } from '../core/byte-string.js';
import type { DeclineReason } from '../core/reasons.js';
import { baseName } from '../core/byte-string.js';
import { failure, success, type Result } from '../core/errors.js';
import type { DependencyRequest } from './compile-command.js';
import { sourceStem, withoutSuffix } from './implied-outputs.js';
import type { CompilerFamily } from './options/option-table.js';
import type { PreprocessorOption } from './preprocessor-words.js';
import type { Token } from './tokenize.js';

interface Driver {
  md: boolean;
  mmd: boolean;
  file: ByteString | undefined;
  hasTarget: boolean;
  /** First of the options that make no sense without -MD. */
  orphan: string | undefined;
  mg: boolean;
}

/**
 * @param handed what -Wp, hands on; for Clang, whose driver takes `-Wp,-MD,f` for `-MD -MF f`, that
 *   is the same as the driver's own.
 * @returns undefined when no dependency file is asked for.
 */
export function dependencyRequest(
  tokens: readonly Token[],
  handed: readonly PreprocessorOption[],
  source: ByteString,
  explicitOutput: ByteString | undefined,
  family: CompilerFamily,
): Result<DependencyRequest | undefined, DeclineReason> {
  const driver = driverRequest(tokens);
  // An error with -MD in both compilers: missing headers cannot be both listed and compiled.
  if (driver.mg) return failure('option:-MG');

  if (family === 'clang') {
    // Its driver rewrites only -Wp,-MD,f, and in place: what else is handed on it does not see.
    const other = handed.find(({ name }) => /^-M(?!M?D$)/.test(name));
    if (other !== undefined) return failure<DeclineReason>(`option:-Wp,${other.name}`);
    if (driver.file !== undefined && handed.some(({ name }) => name.startsWith('-M'))) {
      return failure('option:-MF');
    }
  }
  const stem =
    explicitOutput === undefined ? sourceStem(source, family) : withoutSuffix(explicitOutput);
  let style: 'all' | 'user' | undefined = driver.mmd ? 'user' : driver.md ? 'all' : undefined;
  let path = driver.file ?? `${stem}.d`;
  let namesTarget = driver.hasTarget;
  let asksInDriver = style !== undefined;
  for (const { name, value } of handed) {
    if (name === '-MT' || name === '-MQ') namesTarget = true;
    if (name === '-MD' || name === '-MMD') style = name === '-MD' ? 'all' : 'user';
    if (name === '-MD' || name === '-MMD' || name === '-MF') path = value;
    if (family === 'clang') asksInDriver = style !== undefined;
  }
  if (style === undefined) {
    const orphan = driver.orphan ?? handed.find(({ name }) => name.startsWith('-M'))?.name;
    return orphan === undefined ? success(undefined) : failure<DeclineReason>(`option:${orphan}`);
  }
  if (isSpecialFile(path)) return failure('output-special');
  // GCC's driver names -o as target unless it sees -MT itself; what -Wp, hands on, it does not see.
  const driverNamesOutput = asksInDriver && explicitOutput !== undefined && !driver.hasTarget;
  return success({
    systemHeaders: style === 'all',
    path,
    defaultTarget: driverNamesOutput ? explicitOutput : `${withoutSuffix(baseName(source))}.o`,
    hasTarget: namesTarget && !(driverNamesOutput && family === 'gcc'),
  });
}

/** Not an ordinary file: standard output, a device, or something of /proc. */
export function isSpecialFile(path: ByteString): boolean {
  return path === '' || path === '-' || /^\/+(?:dev|proc)\//.test(path);
}

function driverRequest(tokens: readonly Token[]): Driver {
  const driver: Driver = {
    md: false,
    mmd: false,
    file: undefined,
    hasTarget: false,
    orphan: undefined,
    mg: false,
  };
  for (const token of tokens) {
    if (token.kind !== 'option' || token.spec.role !== 'dependencies') continue;
    const { name } = token.spec;
    if (name === '-MD') driver.md = true;
    else if (name === '-MMD') driver.mmd = true;
    else driver.orphan ??= name;
    if (name === '-MF') driver.file = token.value;
    if (name === '-MT' || name === '-MQ') driver.hasTarget = true;
    if (name === '-MG') driver.mg = true;
  }
  return driver;
}
