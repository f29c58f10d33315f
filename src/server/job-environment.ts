/** What a compiler in a sealed root has for its environment. */
import type { ByteString } from '../core/byte-string.js';
import type { WireOption } from '../protocol/plain-messages.js';
import { renderPumpEnvironment } from '../toolchain/pump-environment.js';
import { JobRefused } from './job-refused.js';

/** In a job's root: private memory of its own. */
export const TEMPORARY = '/.tscc';

/** Nothing of the server's own environment gets into a job. Throws JobRefused. */
export function jobEnvironment(given: readonly WireOption[]): ReadonlyMap<string, ByteString> {
  const variables = given.map(([name, value]) => [name, value ?? ''] as const);
  const rendered = renderPumpEnvironment(variables);
  if (!rendered.ok) throw new JobRefused('option', rendered.error);
  return new Map([...variables, ['TMPDIR', TEMPORARY]]);
}
