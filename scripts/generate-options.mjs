// Regenerates src/toolchain/options/families.generated.ts: the -f and -m options and the --param
// names of GCC and Clang, as the compilers themselves list them, less those that the rules below
// take out. Run it by hand where all of COMPILERS exist (Debian: gcc-11 gcc-12 clang
// gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf); what a compiler adds is to be reviewed in the
// diff before it is committed, because every name in the result may be sent to a server.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const GCC = ['gcc-11', 'gcc-12', 'aarch64-linux-gnu-gcc', 'arm-linux-gnueabihf-gcc'];
const GCC_CLASSES = ['common', 'optimizers', 'target', 'warnings', 'c', 'c++'];
const CLANG = 'clang';

/**
 * Taken out, each with its reason. Names in the hand-written tables (src/toolchain/options/) win
 * over generated ones anyway; they are named here where a pattern would let a relative through.
 */
const EXCLUDED = [
  [/^-f(pass-)?plugin/, 'loads code'],
  [/^-f(no-)?integrated-/, 'chooses which program runs'],
  [/^-m(llvm|mlir)/, 'hands arbitrary options to the code generator'],
  [/module|build-session|^-fpch|validate-ast/, 'reads and writes compiled modules or headers'],
  [/profile|branch-probabilities|coverage|fvpt|order-file|pseudo-probe/, 'profiles: paths, files'],
  [/^-f(dump|opt-info|save-optimization|optimization-record|stack-usage|callgraph)/, 'files'],
  [/^-f(ada-spec|xref|time-trace|proc-stat|crash|compare-debug|embed|api-notes)/, 'files'],
  [/^-f(depfile|emit-compact|index|record|temp-file|thin-link|diagnostics-hotness)/, 'files'],
  [/report|^-fstats|^-fdbg-cnt|^-mdump|^-mprint|cost-dump|-verbose=$/, 'prints'],
  [/^-fvtv|^-fvtable-verify|self-test|^-f(help|target-help|version)/, 'prints or writes logs'],
  [/^-f(show-skipped|lang-info|debug-pass)/, 'prints'],
  [/^-fdiagnostics-(format|add-output|set-output|generate|parseable)/, 'prints or writes files'],
  [/lto|ltrans|wpa|^-f(resolution|linker-output|whole-program-vtables)/, 'link-time optimisation'],
  [/^-fuse-(ld|linker|cuid)|^-fapple-link-rtlib|rtlib-add-rpath/, 'link step'],
  [/offload|cuda|gpu|-fhip|sycl|openmp-(target|new-driver|host|is)|rocm/, 'code for other devices'],
  [/(ignore|black|white|allow|attr)-?list|^-fxray|-fsanitize-stats/, 'reads lists'],
  [/compilation-dir|prefix-map|prefix-path|profile-dir/, 'strings with slashes: by hand'],
  [/^-f(preprocessed|directives-only|working-directory|syntax-only|debug-cpp)/, 'by hand'],
  [/charset|max-include-depth|track-macro|canonical-system|^-frewrite/, 'preprocessor: by hand'],
  [/^-f(minimize-whitespace|keep-system-includes|use-line-directives)/, 'changes -E output'],
  [/^-f(disable|enable)-?$|^-f(disable|enable)-(tree|rtl|ipa|kind)/, 'debugging of GCC; prints'],
  [/^-finstrument-functions-exclude-file-list/, 'strings with slashes: by hand'],
  [/^-m(arch|cpu|tune)=/, 'may say native: by hand'],
  [/^-m(libarch|thread-model|eabi$|arc-)/, 'separate value or internal'],
  [/^-frandom-seed/, 'by hand'],
  [/basic-block-sections|^-frepo|-fverbose-asm/, 'reads a list, writes .rpo, prints options'],
  [/veclib/, 'names a library of the code generator'],
  [/experimental-new|legacy-pass|new-pass/, 'chooses experimental parts of the compiler'],
];

const excluded = (name) => EXCLUDED.some(([pattern]) => pattern.test(name));

function lines(compiler, argument) {
  const text = execFileSync(compiler, argument, { encoding: 'utf8', maxBuffer: 1 << 24 });
  return text
    .split('\n')
    .map((line) => /^ {2}(-\S+)(?: (\S+))?/.exec(line))
    .filter(Boolean);
}

/** `-fabi-version=` and `-fcall-saved-<register>` take a glued value; `-mllvm <value>` is apart. */
function classify(word) {
  const cut = word.search(/[=<[(]/);
  if (cut < 0) return word.endsWith('-') ? { valued: word } : { flag: word };
  if (word[cut] === '[') return classify(word.slice(0, cut));
  return { valued: word.slice(0, word[cut] === '=' ? cut + 1 : cut) };
}

/** By character code, so that the result does not depend on a locale. */
const sorted = (names) => [...names].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));

const withoutNo = (name) => name.replace(/^-([fm])no-/, '-$1');

function collect(words) {
  const flags = new Set();
  const valued = new Set();
  for (const word of words) {
    if (!/^-[fm][A-Za-z0-9]/.test(word)) continue;
    const { flag, valued: name } = classify(word);
    const plain = withoutNo(flag ?? name);
    if (excluded(plain) || excluded(flag ?? name)) continue;
    (flag === undefined ? valued : flags).add(plain);
  }
  return { flags: sorted(flags), valued: sorted(valued) };
}

const gccWords = GCC.flatMap((compiler) =>
  GCC_CLASSES.flatMap((name) => lines(compiler, ['-Q', `--help=${name}`]).map((m) => m[1])),
);
const parameters = new Set(
  GCC.flatMap((compiler) =>
    lines(compiler, ['-Q', '--help=params']).map((m) => /^--param=([^=]+)=/.exec(m[1])?.[1]),
  ).filter(Boolean),
);
/** Clang's help leaves out what it shares with GCC; all of it in one run, and it names the rest. */
function acceptedByClang(names) {
  const word = (name) => (name.endsWith('=') ? `${name}1` : name.endsWith('-') ? `${name}x` : name);
  const run = spawnSync(CLANG, ['-###', '-c', '-x', 'c', '/dev/null', ...names.map(word)], {
    encoding: 'utf8',
  });
  // Some of the options colour and wrap what is printed.
  // eslint-disable-next-line no-control-regex
  const text = run.stderr.replaceAll(/\u001b\[[0-9;]*m/g, '').replaceAll(/\s+/g, ' ');
  const refused = new Set(
    [...text.matchAll(/(?:unknown argument|not supported|unsupported option):? '([^']+)'/g)]
      .map((match) => match[1])
      .concat([...text.matchAll(/'([^']+)' is not supported/g)].map((match) => match[1])),
  );
  return names.filter((name) => !refused.has(word(name)));
}
// A second word in angle brackets is a value of its own: none of those is wanted.
const clangWords = lines(CLANG, ['--help-hidden'])
  .filter((m) => !(m[2] ?? '').startsWith('<'))
  .map((m) => m[1]);

function block(name, meaning, words) {
  const rows = [];
  let row = '';
  for (const word of words) {
    if (row.length + word.length + 1 > 98) {
      rows.push(row);
      row = '';
    }
    row += row === '' ? word : ` ${word}`;
  }
  rows.push(row);
  return `/** ${meaning} */\nexport const ${name} = \`\n${rows.join('\n')}\n\`;\n`;
}

const gcc = collect(gccWords);
const clang = collect([...clangWords, ...acceptedByClang([...gcc.flags, ...gcc.valued])]);
const strip = (words) => words.map((word) => word.slice(1));
const version = (compiler) =>
  execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n')[0].trim();

const output = `// Generated by scripts/generate-options.mjs; do not edit. The rules that took names out, each with
// its reason, are in that script. Made from:
${[...GCC, CLANG].map((compiler) => `//   ${version(compiler)}`).join('\n')}
// Names are without their leading dash; a name stands for its -fno-/-mno- form too.

${block('GCC_FLAGS', 'GCC: -f and -m options without a value.', strip(gcc.flags))}
${block('GCC_VALUED', 'GCC: -f and -m options with a glued value.', strip(gcc.valued))}
${block('GCC_PARAMETERS', 'GCC: what --param sets.', sorted(parameters))}
${block('CLANG_FLAGS', 'Clang: -f and -m options without a value.', strip(clang.flags))}
${block('CLANG_VALUED', 'Clang: -f and -m options with a glued value.', strip(clang.valued))}`;

writeFileSync(
  fileURLToPath(new URL('../src/toolchain/options/families.generated.ts', import.meta.url)),
  output,
);
