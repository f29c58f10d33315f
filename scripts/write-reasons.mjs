// Writes docs/reasons.md from the tables in src/core/reasons.ts (run after a build). A test fails
// when the page is not what this would write.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { reasonsPage } from '../build/src/report/reasons-page.js';

writeFileSync(fileURLToPath(new URL('../docs/reasons.md', import.meta.url)), reasonsPage());
