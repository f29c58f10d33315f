/** Why a compile was done again, for people. Pure. */
import type { Again, Change } from './analysis/rebuilds.js';

const SHOWN = 5;

/** One line without an end. */
export function againText(again: Again): string {
  switch (again.kind) {
    case 'first':
      return 'not compiled in the sessions before this one';
    case 'same':
      return (
        `nothing that it rests on has changed since session ${again.session}: make wanted it again, ` +
        'and a compiler cache would have had it'
      );
    case 'unknown':
      return (
        `also compiled in session ${again.session}; what has changed since is not known: only pump ` +
        'mode tells what is read'
      );
    case 'changed': {
      const shown = again.changes.slice(0, SHOWN).map(changeText);
      const more = again.changes.length - shown.length;
      const list = [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ');
      return `rebuilt because ${list} (since session ${again.session})`;
    }
  }
}

function changeText({ kind, name }: Change): string {
  switch (kind) {
    case 'source':
      return `its source ${name} changed`;
    case 'preprocessed':
      return `its preprocessed source changed (${name}, or what it includes)`;
    case 'file':
      return `${name} changed`;
    case 'new-file':
      return `${name} is read now and was not before`;
    case 'gone-file':
      return `${name} was read before and is not now`;
    case 'command':
      return `the command changed: ${name}`;
    case 'compiler':
      return `the compiler ${name} is another one`;
    case 'variable':
      return `the variable ${name} changed`;
  }
}
