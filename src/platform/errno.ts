/** The `code` of a Node.js system error (`ENOENT`…), or undefined for other errors. */
export function errnoCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

const SHORTAGES: ReadonlySet<string | undefined> = new Set([
  'EAGAIN',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
]);

/** Whether the system had no process, open file or memory left just now. */
export function isShortage(error: unknown): boolean {
  return SHORTAGES.has(errnoCode(error));
}
