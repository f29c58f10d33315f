/** Flags that `npm run matrix` compiles everything with. */

export interface Variant {
  readonly name: string;
  /** For all, or by language. */
  readonly flags: string | { readonly c: string; readonly cxx: string };
}

/** Two local runs are the same only under a seed of the user's. */
const SEED = '-frandom-seed=matrix';

export const VARIANTS: readonly Variant[] = [
  { name: 'O0', flags: '-O0' },
  { name: 'O2', flags: '-O2' },
  { name: 'g', flags: '-g' },
  { name: 'split-dwarf', flags: '-g -gsplit-dwarf' },
  { name: 'split-dwarf-O2', flags: '-O2 -g -gsplit-dwarf' },
  { name: 'coverage', flags: `-g --coverage ${SEED}` },
  { name: 'lto', flags: `-O2 -g -flto ${SEED}` },
  { name: 'asan', flags: '-O1 -g -fsanitize=address' },
  { name: 'ubsan', flags: '-O1 -fsanitize=undefined -fno-omit-frame-pointer' },
  { name: 'Os-pic-g3', flags: '-Os -fPIC -g3 -ffunction-sections -fdata-sections' },
  { name: 'stack-usage', flags: '-O2 -fstack-usage -fstack-protector-strong' },
  { name: 'assembly', flags: '-S -O1 -fverbose-asm' },
  { name: 'std-old', flags: { c: '-O1 -g -std=gnu99', cxx: '-O1 -g -std=gnu++14' } },
  { name: 'std-middle', flags: { c: '-O1 -std=gnu11', cxx: '-O1 -std=c++17' } },
  { name: 'std-new', flags: { c: '-O2 -g -std=gnu2x', cxx: '-O1 -g -std=gnu++20' } },
  { name: 'prefix-map', flags: '-O2 -g -ffile-prefix-map=/=/there/ -grecord-gcc-switches' },
  { name: 'dwarf4-O3', flags: '-O3 -gdwarf-4 -fno-semantic-interposition' },
];

export function flagsOf({ flags }: Variant, isCxx: boolean): readonly string[] {
  const line = typeof flags === 'string' ? flags : isCxx ? flags.cxx : flags.c;
  return line.split(' ');
}
