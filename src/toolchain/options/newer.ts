/**
 * Reviewed by hand, because the compilers that families.generated.ts was made from do not list
 * them: what later versions brought, and what Clang knows without saying so in its help.
 */
import type { OptionRow } from './option-spec.js';

const flags = (list: string): OptionRow[] =>
  list.split(' ').map((name): OptionRow => [`-${name}`, 'none', 'none', 'both']);
const valued = (list: string): OptionRow[] =>
  list.split(' ').map((name): OptionRow => [`-${name}`, 'joined', 'word', 'both']);

/** GCC 13 to 15. */
export const NEWER_GCC_ROWS: readonly OptionRow[] = [
  ...flags(
    'fstrict-flex-arrays fhardened fharden-control-flow-redundancy finline-stringops ' +
      'fassume-sane-operators-new-delete fext-dce flate-combine-instructions fmalloc-dce ' +
      'mavxifma mavxvnniint8 mavxneconvert mavxvnniint16 msha512 msm3 msm4 mapxf mavx10.1 ' +
      'mavx10.2 mcmpccxadd mprefetchi mraoint mamx-complex mamx-fp16 mgather mscatter ' +
      'munroll-only-small-loops',
  ),
  ...valued(
    'fstrict-flex-arrays= fmin-function-alignment= fzero-init-padding-bits= ftrampoline-impl= ' +
      'finline-stringops= fmalloc-dce= fdiagnostics-show-context= ' +
      'fdiagnostics-text-art-charset= mpartial-vector-fp-math=',
  ),
];

/** Clang, of any version. */
export const NEWER_CLANG_ROWS: readonly OptionRow[] = [
  ...flags(
    'mretpoline mretpoline-external-thunk mspeculative-load-hardening fhonor-nans ' +
      'fhonor-infinities fasm-blocks fmax-type-align fsanitize-minimal-runtime ' +
      'fstruct-path-tbaa fpointer-tbaa fms-volatile faltivec maltivec mvsx mcrypto ' +
      'mpower8-vector mpower9-vector msecure-plt fescaping-block-tail-calls ' +
      'fdwarf-directory-asm msimd128 mrelaxed-simd mbulk-memory mtail-call matomics mx87 ' +
      'msingle-float mdouble-float mips16 mmicromips fexperimental-library ' +
      'fsanitize-link-runtime fsanitize-kcfi-arity fsanitize-stable-abi ' +
      'fkeep-persistent-storage-variables',
  ),
  ...valued(
    'fstrict-flex-arrays= fopenmp= fsanitize-coverage= fdenormal-fp-math= ' +
      'fdenormal-fp-math-f32= foperator-arrow-depth= fconstant-string-class= mnan= mabs= ' +
      'mcompact-branches= mimplicit-it= miphoneos-version-min= mmacos-version-min= ' +
      'fzero-call-used-regs= fmin-function-alignment= fcomplex-arithmetic= ffp-eval-method= ' +
      'mtls-dialect=',
  ),
];
