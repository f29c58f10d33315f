// Writes docs/faults.md from the table in tests/faults/fault-classes.ts (run after a build). A test fails
// when the page is not what this would write.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { faultsPage } from '../build/tests/faults/faults-page.js';

writeFileSync(fileURLToPath(new URL('../docs/faults.md', import.meta.url)), faultsPage());
