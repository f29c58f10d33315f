/**
 * Modules tie compiles together: one reads what another wrote, through a mapper, a cache or a file
 * beside the source. Both compilers' options say so here, whatever their value.
 */
import type { OptionRow } from './option-spec.js';

const NONE =
  '-fmodules-ts -fmodules -fmodule-header -fmodule-only -fmodule-lazy -fmodule-implicit-inline ' +
  '-fmodule-version-ignore -fcxx-modules -fimplicit-modules -fimplicit-module-maps ' +
  '-fbuiltin-module-map -fprebuilt-implicit-modules -fmodules-search-all -fmodules-decluse ' +
  '-fmodules-strict-decluse -fsystem-module -Mmodules -Mno-modules';

const JOINED =
  '-fmodule-header= -fmodule-file= -fmodule-name= -fmodule-map-file= -fmodule-output= ' +
  '-fmodules-cache-path= -fprebuilt-module-path= -fmodules-ignore-macro= ' +
  '-fmodules-prune-interval= -fmodules-prune-after= -flang-info-module-cmi=';

export const MODULE_ROWS: readonly OptionRow[] = [
  ...NONE.split(' ').map((name): OptionRow => [
    name,
    'none',
    'none',
    'both',
    { decline: 'modules' },
  ]),
  ...JOINED.split(' ').map((name): OptionRow => [
    name,
    'joined',
    'path',
    'both',
    { decline: 'modules' },
  ]),
  // Switched off, they are the default.
  ...'-fno-modules -fno-modules-ts -fno-cxx-modules -fno-implicit-modules'
    .split(' ')
    .map((name): OptionRow => [name, 'none', 'none', 'both']),
];
