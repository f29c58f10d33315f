import { createRequire } from 'node:module';

interface PackageJson {
  readonly version: string;
}

/** Version of this tscc, from package.json. */
export const VERSION = (createRequire(import.meta.url)('../../../package.json') as PackageJson)
  .version;
